"""Fixtures of the as-you-type tier, and what is marked in them: ``# rule: expression`` at the end of a line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from aipc.core.types import Range

FIXTURES = Path(__file__).with_name("fixtures")
_MARK = re.compile(r"# ([a-z0-9-]+): ((?:(?!  # ).)+)")


def marked(text: str) -> set[tuple[int, str, str]]:
    """(line, rule, expression) of every mark."""
    found = set()
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        found |= {(number, rule, expression.strip()) for rule, expression in _MARK.findall(line) if rule != "noqa"}
    return found


def text_at(text: str, place: Range) -> str:
    """The text of a range that lies on one line, else up to the end of its first line."""
    line = text.splitlines()[place.start.line - 1]
    return line[place.start.column : place.end.column if place.end.line == place.start.line else None]


def models(text: str) -> list[str]:
    """Classes that say how they are called, or inherit it."""
    found: list[str] = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            own = any(isinstance(item, ast.FunctionDef) and item.name == "example_inputs" for item in node.body)
            if own or any(isinstance(base, ast.Name) and base.id in found for base in node.bases):
                found.append(node.name)
    return found
