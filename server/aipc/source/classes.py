"""The classes of a file: what each derives from."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def ancestors(name: str, classes: Mapping[str, ast.ClassDef]) -> list[str]:
    """A class and the classes of the file that it derives from, the nearest first."""
    line: list[str] = []
    queue = [name]
    while queue:
        current = queue.pop(0)
        if current in line or current not in classes:
            continue
        line.append(current)
        queue += [base.id for base in classes[current].bases if isinstance(base, ast.Name)]
    return line
