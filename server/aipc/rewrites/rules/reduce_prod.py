"""ReduceProd, as products of halves."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_MAX_LENGTH = 256


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    axes = read.axes_of(node, x)
    sizes = list(read.shape(x))
    if math.prod(sizes[axis] for axis in axes) > _MAX_LENGTH:
        raise NoMatch(f"more than {_MAX_LENGTH} factors")
    for axis in axes:
        while sizes[axis] > 1:
            half, odd = divmod(sizes[axis], 2)
            product = b.op("Mul", b.slice(x, axis, 0, half), b.slice(x, axis, half, 2 * half))
            if odd:
                product = b.concat([product, b.slice(x, axis, 2 * half, 2 * half + 1)], axis)
            x, sizes[axis] = product, half + odd
    return b.reshape(x, read.shape(node.outputs[0]))


RULE = Rule(
    code="reduce-prod",
    title="A product over an axis becomes a tree of multiplications",
    ops=("ReduceProd",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("x.prod(-1)", {"x": "float32[2,4]"}),
    after="x[:, 0] * x[:, 1] * (x[:, 2] * x[:, 3])",
    negative=Example("x.sum(-1)", {"x": "float32[2,8]"}),
    more=(
        Example("x.prod(1)", {"x": "float32[2,5,8]"}),
        Example("x.prod(1, keepdim=True)", {"x": "float32[2,7,3,4]"}),
    ),
)
