"""The modules of the package and what each imports, read from their text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import aipc

PACKAGE = Path(aipc.__path__[0])


@dataclass(frozen=True)
class Import:
    """One module that another names: ``lazy`` within a function, ``typing`` for a type checker only."""

    target: str
    lazy: bool
    typing: bool


@cache
def paths() -> dict[str, Path]:
    """Module -> its file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("aipc", *path.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(paths()[module].read_text("utf-8"))


@cache
def imports(module: str) -> frozenset[Import]:
    return frozenset(_imports(tree(module), module, False, False))


def _imports(node: ast.AST, module: str, lazy: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(item.name, lazy, typing) for item in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = _absolute(child, module)
            for item in child.names:
                full = f"{base}.{item.name}"
                yield Import(full if full in paths() else base, lazy, typing)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _imports(child, module, lazy, True)
        else:
            function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _imports(child, module, lazy or function, typing)


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    package = module if paths()[module].name == "__init__.py" else module.rpartition(".")[0]
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def loaded_with(module: str) -> set[str]:
    """The modules of ours that an import of ``module`` loads: packages above each, and what they import at once."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        current = waiting.pop()
        if current in seen or current not in paths():
            continue
        seen.add(current)
        waiting.append(current.rpartition(".")[0])
        waiting += [item.target for item in imports(current) if not item.lazy and not item.typing]
    return seen
