"""What the last checks said, and how much of it still holds for the text as it is now."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from aipc.core import plain_data
from aipc.core.accuracy import NodeAccuracy, NodeError, responsible
from aipc.core.types import CheckReport, Finding, Fix, NodePlacement, Position, Range, SourceMap
from aipc.source import split_lines
from aipc.source.ignores import shown_findings

from .node_times import NodeTime

if TYPE_CHECKING:
    from aipc.fix import Together


Lines = tuple[str, ...]
"""The lines of a text, without their ends."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node and the author's expression that made it."""

    range: Range
    node: NodePlacement
    error: NodeError | None = None
    time: NodeTime | None = None
    """None unless a device measured it."""


@dataclass(slots=True)
class CheckState:
    """The result of one model: its report, where its nodes come from, and the text of each file at the time."""

    reference: str
    report: CheckReport
    texts: dict[str, tuple[str, ...]]
    """File -> lines."""
    places: dict[str, list[Place]]
    """File -> what its expressions made, in graph order."""
    accuracy: Mapping[str, NodeError] = field(default_factory=dict)
    extra: tuple[Finding, ...] = ()
    """What a deployment found beyond the check: wrong numbers, for example."""
    latency: Mapping[str, NodeTime] = field(default_factory=dict)
    """Of each node, where a device measured it."""
    together: tuple[Together, ...] = ()
    """Several fixes as one edit, proved as a whole."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path -> SHA-256 of every file of the author's that the model was captured from."""
    settings: str = ""
    """What was in effect; empty while the result is not whole."""
    checked_at: float = 0.0
    """Seconds since 1970, of a result that is not of this session."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        known = {(finding.rule, finding.range, finding.message) for finding in self.report.findings}
        more = (finding for finding in self.extra if (finding.rule, finding.range, finding.message) not in known)
        return (*self.report.findings, *more)

    def is_stale(self, file: str, text: Sequence[str]) -> bool:
        """Whether ``file`` has changed since the check."""
        return file in self.texts and self.texts[file] != tuple(text)


def digest(
    reference: str, report: CheckReport, extra: tuple[Finding, ...] = (), unsaved: Mapping[str, str] | None = None
) -> CheckState:
    """Read the source map of a report and the files that it points to, the ``unsaved`` ones as they were then."""
    places: dict[str, list[Place]] = defaultdict(list)
    if report.source_map:
        sources = plain_data.loads(Path(report.source_map).read_text("utf-8"), SourceMap)
        for node in report.node_placements:
            ranges = [origin.user_frame.range for origin in sources.origins(node.node) if origin.user_frame]
            for place in dict.fromkeys(ranges):
                places[place.file].append(Place(place, node))
    findings = (*report.findings, *extra)
    files = {*places, *(finding.range.file for finding in findings if finding.range)}
    texts = {}
    for file in files:
        if unsaved and file in unsaved:
            texts[file] = split_lines(unsaved[file])
            continue
        try:
            texts[file] = split_lines(Path(file).read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
    return CheckState(reference, report, texts, dict(places), extra=extra)


def with_accuracy(checked: CheckState, accuracy: NodeAccuracy) -> CheckState:
    """The same result with the measured error of each node."""
    errors = accuracy.of_every_node()
    holders = _share_holders(checked, errors)
    places = {
        file: [replace(place, error=_error_at(place, errors, holders)) for place in file_places]
        for file, file_places in checked.places.items()
    }
    return replace(checked, places=places, accuracy=errors)


def _share_holders(checked: CheckState, errors: Mapping[str, NodeError]) -> dict[tuple[str, ...], Place]:
    """Fused group -> the one place that has its share: lines show parts of one whole, which add up to it."""
    kinds = {node.node: node.op_type for node in checked.report.node_placements}
    holders: dict[tuple[str, ...], Place] = {}
    for place in (place for file_places in checked.places.values() for place in file_places):
        name = place.node.node
        if (error := errors.get(name)) is None:
            continue
        group = error.group or (name,)
        main = responsible(group, kinds)
        if group not in holders or (name == main != holders[group].node.node):
            holders[group] = place
    return holders


def _error_at(
    place: Place, errors: Mapping[str, NodeError], holders: Mapping[tuple[str, ...], Place]
) -> NodeError | None:
    """The error of a place's node, with its share only where that is shown."""
    error = errors.get(place.node.node)
    if error is None:
        return None
    return error if holders[error.group or (place.node.node,)] is place else replace(error, share=0.0)


@lru_cache(maxsize=64)
def moved_lines(before: tuple[str, ...], after: tuple[str, ...]) -> Mapping[int, int]:
    """Line numbers (1-based) of unchanged lines: where each was, and where it is now."""
    if before == after:
        return {number: number for number in range(1, len(before) + 1)}
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    return {
        block.a + offset + 1: block.b + offset + 1
        for block in matcher.get_matching_blocks()
        for offset in range(block.size)
    }


def moved_range(place: Range, moved: Mapping[int, int]) -> Range | None:
    """Where an expression is now; None when one of its lines has changed."""
    numbers = [moved.get(number) for number in range(place.start.line, place.end.line + 1)]
    start, end = numbers[0], numbers[-1]
    if None in numbers or start is None or end is None:
        return None
    return Range(place.file, Position(start, place.start.column), Position(end, place.end.column))


def current_findings(checked: CheckState, file: str, text: Sequence[str]) -> list[Finding]:
    """The findings of a result in ``file`` that still hold: those whose lines are unchanged, at their present lines.

    Those that a comment hides are left out.
    Their fixes are at their present lines too. What was proved of another text is not proved of this one.
    """
    moved = moved_lines(checked.texts.get(file, ()), tuple(text))
    stale = checked.is_stale(file, text)
    findings = []
    for finding in checked.findings:
        if finding.range is not None and finding.range.file == file and (here := moved_range(finding.range, moved)):
            fixes = [_moved_fix(fix, moved, stale) for fix in finding.fixes]
            findings.append(replace(finding, range=here, fixes=tuple(fix for fix in fixes if fix)))
    return list(shown_findings(findings, text, file))


def _moved_fix(fix: Fix, moved: Mapping[int, int], stale: bool) -> Fix | None:
    if not fix.edits:
        return fix
    edits = []
    for place, text in fix.edits:
        here = moved_range(place, moved)
        if here is None:
            return None
        edits.append((here, text))
    return replace(fix, edits=tuple(edits), proved=fix.proved and not stale)


def current_places(checked: CheckState, file: str, text: Sequence[str]) -> list[Place]:
    """What the unchanged expressions of ``file`` made, at their present ranges."""
    moved = moved_lines(checked.texts.get(file, ()), tuple(text))
    places = []
    for place in checked.places.get(file, ()):
        if here := moved_range(place.range, moved):
            places.append(replace(place, range=here, time=checked.latency.get(place.node.node)))
    return places
