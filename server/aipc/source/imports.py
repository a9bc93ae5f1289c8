"""What the names of a file stand for by its imports: ``F.celu`` is ``torch.nn.functional.celu``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

STAR = "*"


def bindings_of(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with what it stands for; a relative import keeps its dots.

    ``from module import *`` gives ``("*", "module")``.
    """
    if isinstance(node, ast.Import):
        for item in node.names:
            yield (item.asname, item.name) if item.asname else (item.name.partition(".")[0],) * 2
        return
    module = "." * node.level + (node.module or "")
    for item in node.names:
        yield (item.asname or item.name, module if item.name == STAR else f"{module}.{item.name}")


def imported_names(tree: ast.AST) -> dict[str, str]:
    """Name -> what it stands for, over all imports of a file but relative ones and those of a star."""
    return {
        name: qualified
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name, qualified in bindings_of(node)
        if name != STAR and not qualified.startswith(".")
    }


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """The full name of every module that a file imports, or imports a name from, but relative ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def qualified_name(node: ast.AST, names: Mapping[str, str]) -> str:
    """The full name that a dotted name spells from an imported one on; empty where it begins elsewhere."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        base = qualified_name(node.value, names)
        return f"{base}.{node.attr}" if base else ""
    return ""
