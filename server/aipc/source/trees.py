"""Going through syntax trees, which is most of what an edit costs: the whole of a block once, its parts from memory."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_PLAIN = {"ctx", "op", "ops", "id", "attr", "arg", "name", "kind", "type_comment", "level", "module", "asname"}
"""Fields that never hold an expression or a statement, in the nodes of ``_FIELDS``."""
_LEAVES = (ast.Constant, ast.Name, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal)
_SCOPES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_WANTED = (ast.Attribute, ast.Name, ast.BinOp, ast.FunctionDef, ast.AsyncFunctionDef, ast.Global)


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    if issubclass(kind, _LEAVES):
        return ()
    # ``arguments.args`` and ``keyword.value`` hold nodes; ``keyword.arg`` does not.
    return tuple(name for name in kind._fields if name not in _PLAIN)


def _kinds(kind: type[ast.AST]) -> Iterator[type[ast.AST]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from _kinds(inner)


_FIELDS = {kind: _fields(kind) for kind in _kinds(ast.AST)}


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """``ast.walk`` without the contexts and operators that nobody asks for, in half the time."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        for name in _FIELDS[type(current)]:
            child = getattr(current, name, None)
            if isinstance(child, list):
                stack.extend(item for item in child if isinstance(item, ast.AST))
            elif isinstance(child, ast.AST):
                stack.append(child)


@dataclass(frozen=True, slots=True)
class Outline:
    """The names, attributes, sums, definitions and ``global`` of a block, in the order of the text."""

    nodes: Sequence[ast.AST]
    extents: dict[int, tuple[int, int]]
    """id of a module, class or function -> where its own are among ``nodes``."""

    def within(self, node: ast.AST) -> Sequence[ast.AST]:
        """Those in one definition, itself among them."""
        start, end = self.extents[id(node)]
        return self.nodes[start:end]


def outline(tree: ast.AST) -> Outline:
    nodes: list[ast.AST] = []
    extents: dict[int, tuple[int, int]] = {}

    def visit(node: ast.AST) -> None:
        kind = type(node)
        start = len(nodes)
        if kind in wanted:
            nodes.append(node)
        for name in _FIELDS[kind]:
            child = getattr(node, name, None)
            if type(child) is list:
                for item in child:
                    if isinstance(item, ast.AST):
                        visit(item)
            elif isinstance(child, ast.AST):
                visit(child)
        if kind in scopes:
            extents[id(node)] = (start, len(nodes))

    wanted, scopes = frozenset(_WANTED), frozenset(_SCOPES)
    visit(tree)
    return Outline(nodes, extents)
