"""Comments that hide findings: ``# aipc: ignore[rule, rule]`` on a line of the expression, or without rules for all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from aipc.core.types import Finding, Range

from .lines import split_lines

_COMMENT = re.compile(r"#\s*aipc:\s*ignore\b(?:\[(?P<rules>[\w\s,-]*)\])?")


def shown_findings(findings: Iterable[Finding], lines: Sequence[str], file: str) -> tuple[Finding, ...]:
    """The findings that no comment in ``file`` hides; those of other files as they are.

    Args:
        lines: of ``file``.
    """
    if not any("aipc:" in line for line in lines):
        return tuple(findings)
    return tuple(
        item
        for item in findings
        if item.range is None or item.range.file != file or not is_ignored(item.rule, item.range, lines)
    )


def is_ignored(rule: str, place: Range, lines: Sequence[str]) -> bool:
    """Whether a comment on one of the lines of ``place`` hides findings of ``rule``."""
    for line in lines[place.start.line - 1 : place.end.line]:
        match = _COMMENT.search(line)
        if match and (match["rules"] is None or rule in _rules(match["rules"])):
            return True
    return False


def ignore_comments(lines: Sequence[str]) -> tuple[str, ...]:
    """The comments of a text, in order: two texts with the same code and the same comments have the same findings."""
    return tuple(match.group() for line in lines if (match := _COMMENT.search(line)))


def with_ignore(text: str, place: Range, rule: str) -> tuple[int, str] | None:
    """Line (1-based) and its new text where a comment can stand that hides ``rule`` at ``place``.

    None where a comment would change the code: within strings of several lines, and where lines are continued by a
    backslash.
    """
    lines = split_lines(text)
    code = _code(text)
    for number in range(place.end.line, place.start.line - 1, -1):
        line = lines[number - 1]
        changed = _added(line, rule)
        if code is None:
            return None if line.endswith("\\") else (number, changed)
        if _code("\n".join((*lines[: number - 1], changed, *lines[number:]))) == code:
            return number, changed
    return None


def _added(line: str, rule: str) -> str:
    match = _COMMENT.search(line)
    if match is None:
        return f"{line.rstrip()}  # aipc: ignore[{rule}]"
    rules = dict.fromkeys((*_rules(match["rules"] or ""), rule))
    return f"{line[: match.start()]}# aipc: ignore[{', '.join(rules)}]{line[match.end() :]}"


def _rules(text: str) -> list[str]:
    return [rule.strip() for rule in text.split(",") if rule.strip()]


def _code(text: str) -> str | None:
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
