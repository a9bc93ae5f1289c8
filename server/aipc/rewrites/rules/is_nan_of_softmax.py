"""NaN of a softmax of masked scores: the rows that the mask leaves nothing of."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule

LOWEST = float(np.finfo(np.float32).min)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    softmax = read.producer(read.required(node, 0), "Softmax")
    scores = read.required(softmax, 0)
    b.absorb(softmax)
    mask = b.expand(_mask_of(scores, b), read.shape(scores))
    axis = softmax.attributes.get_int("axis", -1) % read.rank(scores)
    # As large as the scores: each place of an open row has the 1 that is somewhere in it.
    return b.op("Less", b.op("Max", mask, b.reduce("ReduceMax", mask, [axis])), 0.5)


def _mask_of(scores: ir.Value, b: Builder) -> ir.Value:
    """0 where a mask puts -inf, or adds it, and 1 elsewhere. Raises NoMatch."""
    masked = read.producer(scores, "Where", "Add")
    b.absorb(masked)
    if masked.op_type == "Add":
        sides = [read.required(masked, place) for place in (0, 1)]
        mask, other = sides if _is_masked(sides[0]) else sides[::-1]
        return b.op("Min", _mask_of(mask, b), _finite(other, b))
    condition, first, second = (read.required(masked, place) for place in range(3))
    hidden = np.zeros((), np.float32)
    if _hides(first):
        return b.op("Where", condition, hidden, _finite(second, b))
    if _hides(second):
        return b.op("Where", condition, _finite(first, b), hidden)
    raise NoMatch("no mask puts -inf into the scores")


def _is_masked(value: ir.Value) -> bool:
    node = value.producer()
    return node is not None and node.op_type == "Where"


def _hides(value: ir.Value) -> bool:
    array = read.constant(value)
    return array is not None and array.dtype.kind == "f" and bool(np.isneginf(array).all())


def _finite(scores: ir.Value, b: Builder) -> ir.Value:
    """1 for each score; reading them makes the rule's precondition be checked for them."""
    return b.cast(b.op("GreaterOrEqual", scores, LOWEST), np.float32)


RULE = Rule(
    code="is-nan-of-softmax",
    title="The test for NaN of a softmax of masked scores asks the mask whether its row is empty",
    ops=("IsNaN",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    excludes=NonFinite.INFINITE | NonFinite.NAN,
    answers=("wrong-numbers", "probe"),
    rewrite=rewrite,
    before=Example(
        "torch.nan_to_num(x.masked_fill(~keep, -torch.inf).softmax(-1))",
        {"x": "float32[2,6,6]", "keep": "torch.ones(2, 6, 6, dtype=torch.bool).tril()"},
    ),
    after="x.masked_fill(~keep, -1e4).softmax(-1) * keep.any(-1, keepdim=True)",
    more=(
        Example(
            "torch.nan_to_num((x + torch.zeros(2, 1, 6).masked_fill(closed, -torch.inf)).softmax(-1))",
            {"x": "float32[2,6,6]", "closed": "torch.arange(12).reshape(2, 1, 6) > 3"},
        ),
    ),
    negative=Example("torch.where(x.isnan(), 0.0, x)", {"x": "float32[2,8]"}),
)
