"""What the text alone says of a document, where no check of its models has said it better."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from aipc.core.types import Finding, Range

from .check_state import CheckState, current_findings, current_places, moved_lines
from .effective import soc_in_effect
from .server import AipcServer
from .uris import to_uri

_DEFINITION = re.compile(r"\s*(async\s+)?def\b")


def is_linted(server: AipcServer, path: str) -> bool:
    """Whether the editor has this document open, as Python, and wants to be told."""
    if not server.setting("lint.enabled", True) or not path.endswith((".py", ".pyi")):
        return False
    return server.documents.open_document(to_uri(path)) is not None


def unchecked_findings(
    server: AipcServer, path: str, lines: Sequence[str], findings: Sequence[Finding]
) -> list[Finding]:
    """Findings from the text, without those that a check has confirmed or ruled out."""
    if not findings:
        return []
    soc = soc_in_effect(server, Path(path))
    reported = [item for checked in server.results.values() for item in current_findings(checked, path, lines)]
    told_lines = {line for item in reported if item.range for line in _lines(item.range)}
    checks = [checked for checked in server.results.values() if checked.report.soc == soc]
    ruled_out = [area for checked in checks if (area := _checked_area(checked, path, lines))]
    return [
        item
        for item in findings
        if item.range
        and told_lines.isdisjoint(_lines(item.range))
        and not any(_covers(area, item.range, lines) for area in ruled_out)
    ]


def _lines(place: Range) -> range:
    return range(place.start.line, place.end.line + 1)


class _Area:
    """The unchanged lines of a file that a check has seen: which of them, and the functions that it ran."""

    def __init__(self, unchanged: Iterable[int], functions: Iterable[int]) -> None:
        self.unchanged = frozenset(unchanged)
        self.functions = frozenset(functions)


def _checked_area(checked: CheckState, path: str, lines: Sequence[str]) -> _Area | None:
    places = current_places(checked, path, lines)
    if not places:
        return None
    moved: Mapping[int, int] = moved_lines(checked.texts.get(path, ()), tuple(lines))
    return _Area(moved.values(), {_function(item.range.start.line, lines) for item in places})


def _covers(area: _Area, place: Range, lines: Sequence[str]) -> bool:
    return area.unchanged.issuperset(_lines(place)) and _function(place.start.line, lines) in area.functions


def _function(line: int, lines: Sequence[str]) -> int:
    """The line that begins the innermost function around a line; 0 outside of any."""
    indent = None
    for number in range(line, 0, -1):
        text = lines[number - 1] if number <= len(lines) else ""
        if not text.strip():
            continue
        own = len(text) - len(text.lstrip())
        if indent is None or own < indent:
            if _DEFINITION.match(text):
                return number
            indent = own if indent is None else min(indent, own)
    return 0
