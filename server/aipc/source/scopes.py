"""What a file binds at its top level, and the classes in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .blocks import Block
from .classes import ancestors
from .imports import STAR, bindings_of

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where a name gets a value: an import, a definition, a value, or something that is not followed."""

    name: str
    block: Block
    imported: str = ""
    node: ast.AST | None = None


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """What one block contributes to its file."""

    bindings: tuple[Binding, ...]
    stars: tuple[str, ...]
    stored: frozenset[str]
    """Attributes that are set on something other than ``self``."""
    poisoned: frozenset[str]
    """Names that functions rebind by ``global``."""


def facts(block: Block) -> BlockFacts:
    """What a block binds, read once."""
    known: BlockFacts | None = block.memory.get("facts")
    if known is None:
        known = block.memory["facts"] = _read(block)
    return known


def _read(block: Block) -> BlockFacts:
    if block.tree is None:
        return BlockFacts((), (), frozenset(), frozenset())
    stars: list[str] = []
    bindings = tuple(_bindings(block.tree.body, block, stars))
    stored, poisoned = set(), set()
    for node in block.within(block.tree):
        if isinstance(node, ast.Attribute):
            if not isinstance(node.ctx, ast.Load) and not (
                isinstance(node.value, ast.Name) and node.value.id == "self"
            ):
                stored.add(node.attr)
        elif isinstance(node, ast.Global):
            poisoned.update(node.names)
    return BlockFacts(bindings, tuple(stars), frozenset(stored), frozenset(poisoned))


def _bindings(body: Sequence[ast.stmt], block: Block, stars: list[str]) -> Iterator[Binding]:
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, qualified in bindings_of(node):
                if name == STAR:
                    stars.append(qualified)
                else:
                    yield Binding(name, block, imported=qualified)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield Binding(node.name, block, node=node)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield Binding(node.targets[0].id, block, node=node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if node.value is not None:
                yield Binding(node.target.id, block, node=node.value)
        else:
            for name in _stored_names(node):
                yield Binding(name, block)
            for inner in _bodies(node):
                yield from _bindings(inner, block, stars)


def _stored_names(node: ast.stmt) -> Iterator[str]:
    """Names that a statement's own expressions bind, without those in its nested statements."""
    stack: list[ast.AST] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load):
            yield item.id
        elif isinstance(item, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and item.name:
            yield item.name
        for child in ast.iter_child_nodes(item):
            if not isinstance(child, ast.stmt):
                stack.append(child)


def _bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, [])
    for handler in getattr(node, "handlers", []):
        yield handler.body
    for case in getattr(node, "cases", []):
        yield case.body


class Program:
    """A file: its blocks, and what each name at its top level stands for."""

    def __init__(self, blocks: Sequence[tuple[int, Block]]) -> None:
        self.starts = {id(block): start for start, block in blocks}
        self.blocks = [block for _, block in blocks]
        self.names: dict[str, list[Binding]] = {}
        self.stored: frozenset[str] = frozenset().union(*(facts(block).stored for block in self.blocks))
        self.classes: dict[str, tuple[ast.ClassDef, Block]] = {}
        poisoned: set[str] = set()
        for block in self.blocks:
            block_facts = facts(block)
            if block_facts.stars:
                # What it brings along may hide any name that was bound before it.
                poisoned.update(name for name in self.names)
            poisoned |= block_facts.poisoned
            for binding in block_facts.bindings:
                self.names.setdefault(binding.name, []).append(binding)
                if isinstance(binding.node, ast.ClassDef):
                    self.classes[binding.name] = (binding.node, block)
        for name in poisoned:
            self.names.pop(name, None)
            self.classes.pop(name, None)
        for name, bindings in self.names.items():
            if len(bindings) > 1:
                self.classes.pop(name, None)
        self._lines: dict[str, list[str]] = {}
        self._overridden = self._find_overridden()

    def binding(self, name: str) -> Binding | None:
        """The one thing that a name stands for, None when there is none or more than one."""
        bindings = self.names.get(name, [])
        if len(bindings) == 1 or (bindings and bindings[0].imported and len({item.imported for item in bindings}) == 1):
            return bindings[0]
        return None

    def line(self, name: str) -> list[str]:
        """A class and the classes of the file that it derives from, the nearest first."""
        if name not in self._lines:
            self._lines[name] = ancestors(name, {key: node for key, (node, _) in self.classes.items()})
        return self._lines[name]

    def overridden(self, name: str) -> frozenset[str]:
        """Attributes and methods of a class that some subclass in the file sets anew."""
        return self._overridden.get(name, frozenset())

    def _find_overridden(self) -> Mapping[str, frozenset[str]]:
        overridden: dict[str, set[str]] = {}
        for name, (node, block) in self.classes.items():
            bases = self.line(name)[1:]
            if bases:
                own = block.memory.get(f"own {name}") or block.memory.setdefault(f"own {name}", _own_names(node, block))
                for base in bases:
                    overridden.setdefault(base, set()).update(own)
        return {name: frozenset(names - {"__init__", "example_inputs"}) for name, names in overridden.items()}


def _own_names(node: ast.ClassDef, block: Block) -> set[str]:
    """What a class sets: its methods, its class attributes, and everything stored on ``self``."""
    names = set()
    for item in block.within(node):
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(item.name)
        elif isinstance(item, ast.Attribute) and not isinstance(item.ctx, ast.Load):
            names.add(item.attr)
        elif isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load):
            names.add(item.id)
    return names
