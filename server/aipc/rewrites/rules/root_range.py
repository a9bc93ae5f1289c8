"""The root of a sum or mean of squares, whose squares stay in the range of fp16."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ._range import other_than_number, scale_of, squared

_SHAPES = ("Expand", "Reshape", "Squeeze", "Unsqueeze")


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    # sqrt(factor * reduce(x ** 2) + epsilon), read from the outside.
    factor, epsilon = 1.0, 0.0
    while (inner := value.producer()) is not None and inner.op_type in ("Add", "Mul", "Div", *_SHAPES):
        if inner.op_type in _SHAPES:
            b.absorb(inner)
            value = read.required(inner, 0)
            if math.prod(read.shape(value)) != math.prod(read.shape(inner.outputs[0])):
                raise NoMatch("the sum is expanded")
            continue
        value, epsilon_value, place = other_than_number(inner)
        if inner.op_type == "Add":
            epsilon += factor * epsilon_value
        elif inner.op_type == "Div" and place == 0:
            raise NoMatch("a number is divided")
        else:
            factor *= epsilon_value if inner.op_type == "Mul" else 1 / epsilon_value
        b.absorb(inner)
    reduced = read.producer(value, "ReduceSum", "ReduceMean")
    squares = read.required(reduced, 0)
    axes = read.axes_of(reduced, squares)
    b.absorb(reduced)
    x = squared(squares, b)
    if not factor > 0 or epsilon < 0 or not math.isfinite(factor):
        raise NoMatch("a factor is not positive")
    scale = scale_of(b, x, axes)
    small = b.op("Div", x, scale)
    total = b.reduce(reduced.op_type, b.op("Mul", small, small), axes)
    if factor != 1:
        total = b.op("Mul", total, factor)
    if epsilon:
        share = b.op("Div", b.constant(np.asarray(math.sqrt(epsilon), read.dtype(x))), scale)
        total = b.op("Add", total, b.op("Mul", share, share))
    return b.reshape(b.op("Mul", b.op("Sqrt", total), scale), read.shape(node.outputs[0]))


RULE = Rule(
    code="root-range",
    title="The root of a sum of squares is taken of values divided by the largest, so that no square overflows fp16",
    ops=("Sqrt",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("torch.sqrt((x * x).sum(-1, keepdim=True))", {"x": "torch.randn(2, 64) * 900"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        scale = x.abs().amax(-1, keepdim=True)
        return torch.sqrt((x / scale).square().sum(-1, keepdim=True)) * scale
""",
    negative=Example("torch.sqrt(x.abs().sum(-1))", {"x": "float32[2,8]"}),
    more=(
        Example("x.std(-1)", {"x": "torch.randn(2, 64) * 900"}),
        Example("x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6)", {"x": "torch.randn(2, 16, 64) * 900"}),
        Example("nn.RMSNorm(64, eps=1e-5)", {"x": "torch.randn(2, 16, 64)"}),
        Example("torch.cdist(x, y)", {"x": "torch.randn(1, 6, 8) * 900", "y": "torch.randn(1, 5, 8) * 900"}),
        Example(
            "(x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True) + 1e-5).sqrt()", {"x": "torch.randn(2, 64) * 900"}
        ),
    ),
)
