"""A sum that is divided afterwards, as a mean."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._range import other_than_number


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value, factor, place = other_than_number(node)
    if node.op_type == "Div":
        if place == 0:
            raise NoMatch("the sum is the divisor")
        factor = 1 / factor if factor else math.inf
    if not abs(factor) <= 0.5:
        raise NoMatch("the sum is not made smaller")
    total = read.producer(value, "ReduceSum")
    x = read.required(total, 0)
    if not read.is_float(x):
        raise NoMatch("integers are summed")
    axes = read.axes_of(total, x)
    b.absorb(total)
    count = math.prod(read.shape(x)[axis] for axis in axes)
    mean = b.reduce("ReduceMean", x, axes, keepdims=bool(total.attributes.get_int("keepdims", 1)))
    return mean if count * factor == 1 else b.op("Mul", mean, count * factor)


RULE = Rule(
    code="sum-range",
    title="A sum that is divided afterwards becomes a mean, which cannot leave the range of fp16",
    ops=("Div", "Mul"),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("x.sum(-1) / 4096", {"x": "torch.rand(2, 4096) * 30 + 30"}),
    after="x.mean(-1)",
    negative=Example("x.sum(-1) * 4", {"x": "float32[2,8]"}),
    more=(
        Example("x.sum((2, 3), keepdim=True) * 0.001", {"x": "torch.rand(1, 4, 64, 64) * 30 + 30"}),
        Example("x.sum(1) / 16", {"x": "float32[2,32,3]"}),
    ),
)
