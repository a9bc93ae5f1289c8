"""What is asked of a function again and again, found out once."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .blocks import Block


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    loaded: frozenset[str]
    """Variables that it reads."""
    assigned: frozenset[str]
    adds_one: bool
    """Whether ``1 + x`` stands somewhere in it."""


NOTHING = FunctionFacts(frozenset(), frozenset(), False)


def facts_of(node: ast.AST | None, block: Block) -> FunctionFacts:
    if node is None:
        return NOTHING
    key = f"function {id(node)}"
    known: FunctionFacts | None = block.memory.get(key)
    if known is None:
        known = block.memory[key] = _read(node, block)
    return known


def _read(node: ast.AST, block: Block) -> FunctionFacts:
    loaded: set[str] = set()
    assigned: set[str] = set()
    adds_one = False
    for item in block.within(node):
        if isinstance(item, ast.Name):
            (loaded if isinstance(item.ctx, ast.Load) else assigned).add(item.id)
        elif isinstance(item, ast.BinOp) and isinstance(item.op, (ast.Add, ast.Sub)):
            sides = [isinstance(side, ast.Constant) and side.value == 1 for side in (item.left, item.right)]
            adds_one |= any(sides)
    return FunctionFacts(frozenset(loaded), frozenset(assigned), adds_one)
