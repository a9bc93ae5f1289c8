"""Calls whose verdict alone does not tell what becomes of them beside others: fused, folded, or merged."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from .shapes import RESHAPES, short_name
from .values import Tensor

_MOVES = {*RESHAPES, "unsqueeze", "expand", "expand_as", "stack"}
"""QAIRT merges these with what stands beside them; alone they do not appear."""
_PERMUTES = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis"}


def may_merge(operator: str) -> bool:
    """Whether a reshape after it makes another, smaller operator of it."""
    return short_name(operator) in _PERMUTES


def undecided(
    operator: str, rule: str, first: Tensor | None, body: Iterable[ast.AST], *, argument_is_input: bool
) -> bool:
    """Whether what stands around the call may change its verdict."""
    name = short_name(operator)
    made_by = short_name(first.made_by) if first and first.made_by else ""
    if rule == "rank" and name in _MOVES:
        return True
    if rule == "rank" and name in _PERMUTES and made_by in RESHAPES:
        return True
    if name in ("erf", "erfc"):
        return any(_adds_one(node) for node in body)  # a GELU written out becomes one operator
    if name == "batch_norm":
        # Folded into the convolution before it.
        return made_by in ("", "linear") or "conv" in made_by or (made_by == "argument" and not argument_is_input)
    return False


def _adds_one(node: ast.AST) -> bool:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, (ast.Add, ast.Sub)):
        return False
    return any(not isinstance(side, ast.Constant) or side.value in (1, 1.0) for side in (node.left, node.right)) and any(
        isinstance(side, ast.Constant) and side.value in (1, 1.0) for side in (node.left, node.right)
    )
