"""Several edits as one, and what they change."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import PurePath

from aipc.core.types import Fix, Position, Range

from .lines import split_lines

Edit = tuple[Range, str]
"""The text that takes the place of a range."""


def join(fixes: Iterable[Fix]) -> tuple[list[Fix], tuple[Edit, ...]]:
    """As many of the fixes as do not touch each other's text, and all their edits; equal ones (imports) once."""
    joined: list[Fix] = []
    edits: list[Edit] = []
    for fix in fixes:
        new = [edit for edit in fix.edits if edit not in edits]
        if any(_overlap(first[0], second[0]) for first in new for second in edits):
            continue
        joined.append(fix)
        edits += new
    return joined, tuple(edits)


def _overlap(first: Range, second: Range) -> bool:
    if first.file != second.file:
        return False
    (a, b), (c, d) = ((_key(place.start), _key(place.end)) for place in (first, second))
    return (a < d and c < b) or (a == c and (a == b) == (c == d))


def _key(position: Position) -> tuple[int, int]:
    return position.line, position.column


def unified_diff(before: str, after: str, file: str) -> str:
    """As ``git diff`` shows it; a text without a final line break is marked."""
    lines = []
    name = PurePath(file).as_posix().lstrip("/")
    for line in difflib.unified_diff(
        split_lines(before, keepends=True), split_lines(after, keepends=True), f"a/{name}", f"b/{name}"
    ):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)
