"""A Python file as its syntax tree and its text, with positions that agree."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache

from aipc.core.types import Position, Range

from .imports import bindings_of, imported_names, qualified_name
from .lines import line_starts, newline_of, split_lines
from .parsing import parse_module
from .positions import code_points_before


@dataclass(frozen=True, slots=True)
class Syntax:
    """A file that parses.

    Args:
        lines: the lines as Python counts them, without their ends.
        newline: how the first line ends.
        parents: node -> the node that it is written in.
        imports: name in the file -> what it stands for: ``F`` -> ``torch.nn.functional``.
        names: every identifier of the file.
    """

    text: str
    tree: ast.Module
    lines: tuple[str, ...]
    newline: str
    parents: dict[ast.AST, ast.AST]
    imports: dict[str, str]
    names: frozenset[str]

    def range_of(self, node: ast.expr | ast.stmt, file: str) -> Range:
        return Range(
            file,
            self._position(node.lineno, node.col_offset),
            self._position(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        )

    def _position(self, line: int, offset: int) -> Position:
        return Position(line, code_points_before(self.lines[line - 1], offset))

    def text_of(self, node: ast.expr) -> str:
        """The expression as it is written."""
        place = self.range_of(node, "")
        return self.between(place.start, place.end)

    def between(self, start: Position, end: Position) -> str:
        return self.text[self.offset(start) : self.offset(end)]

    def offset(self, position: Position) -> int:
        starts = line_starts(self.text)
        return starts[min(position.line, len(starts)) - 1] + position.column

    def enclosing(self, node: ast.AST, *kinds: type[ast.AST]) -> ast.AST | None:
        """The innermost node of these kinds around ``node``."""
        current = self.parents.get(node)
        while current is not None and not isinstance(current, kinds):
            current = self.parents.get(current)
        return current

    def resolve(self, node: ast.expr) -> str:
        """The full name of what a dotted name stands for by the file's imports; empty where they do not tell."""
        return qualified_name(node, self.imports)


@lru_cache(maxsize=16)
def parse(text: str) -> Syntax | None:
    """The file, or None where it does not parse."""
    tree = parse_module(text)
    if tree is None:
        return None
    return Syntax(
        text,
        tree,
        split_lines(text),
        newline_of(text),
        {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)},
        imported_names(tree),
        frozenset(_names(tree)),
    )


def _names(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(name for name, _ in bindings_of(node))
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            names.update(node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names
