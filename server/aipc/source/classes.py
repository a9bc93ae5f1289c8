"""The classes of a file: what each derives from, and which are modules of PyTorch."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from .imports import imported_names, qualified_name
from .torch_names import MODULE_TYPES, canonical


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


def module_classes(tree: ast.Module) -> dict[str, ast.ClassDef]:
    """The top-level classes that derive from ``nn.Module``, directly or by other classes of the file, in order."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    names = imported_names(tree)
    direct = {
        name
        for name, node in classes.items()
        if any(canonical(qualified_name(base, names)) in MODULE_TYPES for base in node.bases)
    }
    return {name: node for name, node in classes.items() if direct.intersection(ancestors(name, classes))}
