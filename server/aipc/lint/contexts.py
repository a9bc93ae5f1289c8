"""Calls whose verdict alone does not tell what becomes of them beside others: fused, folded, or merged."""

from __future__ import annotations

from aipc.source.functions import FunctionFacts

from .shapes import RESHAPES, short_name
from .values import Tensor

_MOVES = {*RESHAPES, "unsqueeze", "expand", "expand_as", "stack"}
"""QAIRT merges these with what stands beside them; alone they do not appear."""
_PERMUTES = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis"}


def may_merge(operator: str) -> bool:
    """Whether a reshape after it makes another, smaller operator of it."""
    return short_name(operator) in _PERMUTES


def undecided(
    operator: str, rule: str, first: Tensor | None, around: FunctionFacts, *, argument_is_input: bool
) -> bool:
    """Whether what stands around the call may change its verdict."""
    name = short_name(operator)
    made_by = short_name(first.made_by) if first and first.made_by else ""
    if rule == "rank" and name in _MOVES:
        return True
    if rule == "rank" and name in _PERMUTES and made_by in RESHAPES:
        return True
    if name in ("erf", "erfc"):
        return around.adds_one  # a GELU written out becomes one operator
    if name == "batch_norm":
        # Folded into the convolution before it.
        return made_by in ("", "linear") or "conv" in made_by or (made_by == "argument" and not argument_is_input)
    return False
