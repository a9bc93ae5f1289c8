"""What the last checks said, and how much of it still holds for the text as it is now."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aipc.core import json as plain
from aipc.core.types import CheckReport, Finding, NodePlacement, Position, Range, SourceMap


@dataclass(slots=True)
class LineFacts:
    """The nodes that one line of source made."""

    nodes: list[NodePlacement] = field(default_factory=list)
    range: Range | None = None


@dataclass(slots=True)
class Checked:
    """The result of one model: its report, and the text of each file at the time."""

    reference: str
    report: CheckReport
    texts: dict[str, list[str]]
    """File -> lines."""
    lines: dict[str, dict[int, LineFacts]]
    """File -> line -> what it made."""


def digest(reference: str, report: CheckReport) -> Checked:
    """Read the source map of a report and the files that it points to."""
    lines: dict[str, dict[int, LineFacts]] = defaultdict(lambda: defaultdict(LineFacts))
    if report.source_map:
        sources = plain.loads(Path(report.source_map).read_text("utf-8"), SourceMap)
        for node in report.node_placements:
            for origin in sources.origins(node.node):
                if frame := origin.user_frame:
                    facts = lines[frame.range.file][frame.range.start.line]
                    facts.nodes.append(node)
                    facts.range = facts.range or frame.range
    files = {*lines, *(finding.range.file for finding in report.findings if finding.range)}
    texts = {}
    for file in files:
        try:
            texts[file] = Path(file).read_text("utf-8").splitlines()
        except OSError:
            continue
    return Checked(reference, report, texts, {file: dict(found) for file, found in lines.items()})


def moved_lines(before: Sequence[str], after: Sequence[str]) -> dict[int, int]:
    """Line numbers (1-based) of unchanged lines: where each was, and where it is now."""
    if before == after:
        return {number: number for number in range(1, len(before) + 1)}
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    return {
        block.a + offset + 1: block.b + offset + 1
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    }


def current_findings(checked: Checked, file: str, text: Sequence[str]) -> list[Finding]:
    """The findings of a result in ``file`` that still hold: those whose lines are unchanged, at their present lines."""
    moved = moved_lines(checked.texts.get(file, []), text)
    found = []
    for finding in checked.report.findings:
        place = finding.range
        if place is None or place.file != file:
            continue
        numbers = [moved.get(number) for number in range(place.start.line, place.end.line + 1)]
        if None in numbers:
            continue
        start, end = numbers[0], numbers[-1]
        assert start is not None and end is not None
        here = Range(file, Position(start, place.start.column), Position(end, place.end.column))
        found.append(replace(finding, range=here))
    return found


def current_lines(checked: Checked, file: str, text: Sequence[str]) -> dict[int, LineFacts]:
    """What each unchanged line of ``file`` made, by its present number."""
    moved = moved_lines(checked.texts.get(file, []), text)
    return {moved[line]: facts for line, facts in checked.lines.get(file, {}).items() if line in moved}
