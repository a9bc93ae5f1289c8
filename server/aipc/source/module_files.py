"""What a dotted name of a file stands for, followed through imports into other files by their text alone."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .imports import STAR, bindings_of
from .parsing import parse_module

_MOST_STEPS = 24
"""Imports and aliases that one name is followed through: torch.nn takes 6, transformers 4."""
_LARGEST_FILE = 2_000_000


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A module's text, by what it defines and imports at its top level, also under ``if``, ``try`` and ``with``.

    Args:
        package: dotted names of the package that it is part of, for its relative imports.
        imports: name -> qualified name; a relative import keeps its dots.
    """

    path: Path
    package: tuple[str, ...]
    definitions: Mapping[str, ast.stmt]
    imports: Mapping[str, str]
    stars: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A class, a function or an assignment, and the module that it stands in."""

    node: ast.stmt
    module: ModuleFile


@dataclass(frozen=True, slots=True)
class Library:
    """A name of a library of which no text is found, or that is one of PyTorch's own."""

    name: str


Resolved = Definition | Library | None


def top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when a file is imported, but those behind ``if __name__ == "__main__"``."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and not _is_main(node.test):
            yield from top_level(node.body)
            yield from top_level(node.orelse)
        elif isinstance(node, ast.Try):
            for block in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.finalbody):
                yield from top_level(block)
        elif isinstance(node, ast.With):
            yield from top_level(node.body)


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def module_of(tree: ast.Module, path: Path, package: tuple[str, ...] = ()) -> ModuleFile:
    """A parsed file. Where a name is defined several times, the first class or function counts, else the last value."""
    definitions: dict[str, ast.stmt] = {}
    imports: dict[str, str] = {}
    stars: list[str] = []
    for node in top_level(tree.body):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            known = definitions.get(node.name)
            if not isinstance(known, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                definitions[node.name] = node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, qualified in bindings_of(node):
                if name == STAR:
                    stars.append(qualified)
                else:
                    imports.setdefault(name, qualified)
        else:
            for name in assigned_names(node):
                if not isinstance(definitions.get(name), (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                    definitions[name] = node
    return ModuleFile(path, package, definitions, imports, tuple(stars))


def assigned_names(node: ast.stmt) -> tuple[str, ...]:
    """The plain names that an assignment with a value binds."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        targets = [node.target]
    return tuple(target.id for target in targets if isinstance(target, ast.Name))


def dotted(node: ast.expr | None) -> str:
    """``a.b.C`` of a name or an attribute of one; empty for other expressions."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


class Names:
    """Follows names through the files below some directories.

    Args:
        roots: where the modules of the author lie, the nearest first; the libraries of this interpreter come after.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = (*roots, *(Path(item) for item in sys.path if item))

    def resolve(self, name: str, module: ModuleFile, steps: int = _MOST_STEPS) -> Resolved:
        """The definition that ``name``, as it is written in ``module``, leads to; None where nothing is known of it."""
        first, _, rest = name.partition(".")
        if steps == 0 or not first:
            return None
        if (node := module.definitions.get(first)) is not None:
            alias = dotted(node.value) if isinstance(node, (ast.Assign, ast.AnnAssign)) else ""
            if alias and alias != name:
                return self.resolve(f"{alias}.{rest}" if rest else alias, module, steps - 1)
            return None if rest else Definition(node, module)
        if (qualified := module.imports.get(first)) is not None:
            return self._absolute(f"{qualified}.{rest}" if rest else qualified, module, steps)
        for star in module.stars:
            resolved = self._absolute(f"{star}.{name}", module, steps)
            if isinstance(resolved, Definition):
                return resolved
        return None

    def _absolute(self, qualified: str, module: ModuleFile, steps: int) -> Resolved:
        level = len(qualified) - len(qualified.lstrip("."))
        parts = [part for part in qualified[level:].split(".") if part]
        if level:
            # Of a file in no package: its neighbours, which the roots have.
            parts = [*module.package[: max(0, len(module.package) - level + 1)], *parts]
        return self._in_libraries(parts, steps)

    def _in_libraries(self, parts: Sequence[str], steps: int) -> Resolved:
        """The longest part of a name that is a module, and what the rest is in its text."""
        resolved = None
        for root in self._roots:
            for count in range(len(parts), 0, -1):
                if file := _file_of(root, tuple(parts[:count])):
                    resolved = self._in_file(file, tuple(parts), count, steps)
                    break
            if resolved is not None:
                return resolved
        return Library(".".join(parts))

    def _in_file(self, file: Path, parts: tuple[str, ...], count: int, steps: int) -> Resolved:
        package = parts[:count] if file.name == "__init__.py" else parts[: count - 1]
        module = read_module(file, package)
        rest = ".".join(parts[count:])
        return self.resolve(rest, module, steps - 1) if module and rest else None


def _file_of(root: Path, parts: tuple[str, ...]) -> Path | None:
    place = root.joinpath(*parts)
    return next((file for file in (place / "__init__.py", place.with_name(f"{place.name}.py")) if _is_file(file)), None)


@lru_cache(maxsize=4096)
def _is_library_file(file: Path) -> bool:
    return file.is_file()


def _is_file(file: Path) -> bool:
    return _is_library_file(file) if "site-packages" in file.parts else file.is_file()


def read_module(file: Path, package: tuple[str, ...]) -> ModuleFile | None:
    """A module from the disk; None where it cannot be read or is not Python."""
    try:
        status = file.stat()
        return None if status.st_size > _LARGEST_FILE else _read(file, package, status.st_mtime_ns, status.st_size)
    except OSError:
        return None


@lru_cache(maxsize=256)
def _read(file: Path, package: tuple[str, ...], changed: int, size: int) -> ModuleFile | None:
    try:
        tree = parse_module(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return module_of(tree, file, package) if tree else None
