"""A GELU by way of Erf behind a product, kept from being fused with it (see ``_products``)."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._products import kept_apart

_OPSET = 20
"""The first with an operator of its own."""


def _constant(value: ir.Value) -> float | None:
    array = read.constant(value)
    return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None


def _factors(value: ir.Value, nodes: list[ir.Node]) -> list[ir.Value]:
    """What a tree of products multiplies; its nodes are added to ``nodes``."""
    node = value.producer()
    if node is None or node.domain or node.op_type != "Mul":
        return [value]
    nodes.append(node)
    return [factor for place in (0, 1) for factor in _factors(read.required(node, place), nodes)]


def _scaled(value: ir.Value, nodes: list[ir.Node]) -> tuple[ir.Value, float]:
    """The tensor and the constant of a product or a quotient."""
    node = read.producer(value, "Div", "Mul")
    nodes.append(node)
    first, second = (read.required(node, place) for place in (0, 1))
    if (number := _constant(second)) is not None:
        return first, 1 / number if node.op_type == "Div" else number
    if node.op_type == "Mul" and (number := _constant(first)) is not None:
        return second, number
    raise NoMatch("the argument of Erf is not scaled by a constant")


def _is_one_more(value: ir.Value) -> bool:
    node = value.producer()
    return node is not None and node.op_type == "Add" and any(_constant(item) == 1.0 for item in node.inputs if item)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    if b.opset < _OPSET:
        raise NoMatch(f"operator set {b.opset} has no Gelu")
    nodes: list[ir.Node] = []
    factors = _factors(node.outputs[0], nodes)
    numbers = [number for factor in factors if (number := _constant(factor)) is not None]
    # The tensor itself is often a sum, too: of a product and its bias.
    sums = [factor for factor in factors if _is_one_more(factor)]
    rest = [factor for factor in factors if factor not in sums and _constant(factor) is None]
    if numbers != [0.5] or len(sums) != 1 or len(rest) != 1:
        raise NoMatch("it is not half of a product of a tensor and a sum")
    total = read.producer(sums[0], "Add")
    terms = [read.required(total, place) for place in (0, 1)]
    ones = [place for place in (0, 1) if _constant(terms[place]) == 1.0]
    if not ones:
        raise NoMatch("the sum is not of one and a tensor")
    erf = read.producer(terms[1 - ones[0]], "Erf")
    x, scale = _scaled(read.required(erf, 0), nodes)
    if x is not rest[0] or not np.isclose(scale, math.sqrt(0.5), rtol=1e-6):
        raise NoMatch("it is no GELU")
    b.absorb(*nodes, total, erf)
    return b.op("Gelu", kept_apart(b, x, saturates=False))


RULE = Rule(
    code="unfused-gelu",
    title="A GELU behind a product is kept apart from it, since their fusion rounds more",
    ops=("Mul",),
    trigger=Trigger.FUSED,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("nn.Sequential(nn.Conv2d(3, 8, 3), nn.GELU())", {"x": "float32[1,3,16,16]"}),
    after="""\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return F.gelu(-torch.neg(self.layer(x)))
""",
    negative=Example("0.5 * x * (1 + torch.erf(x / 2))", {"x": "float32[2,8]"}),
    more=(
        Example("nn.Sequential(nn.Linear(16, 8), nn.GELU())", {"x": "float32[4,16]"}),
        Example("nn.Sequential(nn.Linear(16, 8), nn.GELU())", {"x": "float32[2,4,16]"}),
    ),
)
