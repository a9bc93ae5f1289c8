"""A result for a text in which only comments and layout differ: at its present places, nothing asked again."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

from aipc.core.types import Finding, Fix, Range
from aipc.source.ignores import ignore_comments
from aipc.source.syntax import Syntax, parse

from .check_state import CheckState, Lines, moved_lines, moved_range


def with_new_layout(state: CheckState, texts: Mapping[str, str]) -> CheckState | None:
    """The result at the places that the same code has in ``texts``; None when their code is another.

    Also None where a place that the result speaks of cannot be followed.

    Args:
        texts: the present text of every file that the result speaks of.
    """
    moves: dict[str, Mapping[Range, Range]] = {}
    lines: dict[str, Mapping[int, int]] = {}
    for file, before in state.texts.items():
        first, second = parse("\n".join(before)), parse(texts[file])
        if first is None or second is None or ast.dump(first.tree) != ast.dump(second.tree):
            return None
        # Findings that were hidden are not in the result: without the comment they are asked for again.
        if set(ignore_comments(before)) - set(ignore_comments(second.lines)):
            return None
        moves[file] = dict(zip(_ranges(first, file), _ranges(second, file), strict=True))
        lines[file] = moved_lines(before, second.lines)

    def at(place: Range) -> Range:
        if place.file not in moves:
            return place
        here = moves[place.file].get(place) or moved_range(place, lines[place.file])
        if here is None:
            raise LookupError(place)
        return here

    def fix_at(fix: Fix) -> Fix:
        return replace(fix, edits=tuple((at(place), text) for place, text in fix.edits))

    def finding_at(finding: Finding) -> Finding:
        return replace(
            finding,
            range=at(finding.range) if finding.range else None,
            related=tuple(replace(item, range=at(item.range)) if item.range else item for item in finding.related),
            fixes=tuple(fix_at(fix) for fix in finding.fixes),
        )

    try:
        return replace(
            state,
            report=replace(state.report, findings=tuple(finding_at(item) for item in state.report.findings)),
            extra=tuple(finding_at(item) for item in state.extra),
            together=tuple(replace(item, fix=fix_at(item.fix)) for item in state.together),
            places={
                file: [replace(place, range=at(place.range)) for place in places]
                for file, places in state.places.items()
            },
            texts={file: _lines(texts[file]) for file in state.texts},
        )
    except LookupError:
        return None


def _ranges(syntax: Syntax, file: str) -> list[Range]:
    """The places of a file's expressions and statements, in an order that equal code shares."""
    return [syntax.range_of(node, file) for node in ast.walk(syntax.tree) if isinstance(node, (ast.expr, ast.stmt))]


def _lines(text: str) -> Lines:
    syntax = parse(text)
    assert syntax is not None
    return syntax.lines
