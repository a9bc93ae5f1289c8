"""A weighted sum in integers: with constant weights along the last axis, the NPU's is wrong where the axis goes."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    product = read.required(node, 0)
    if node.attributes.get_int("keepdims", 1):
        raise NoMatch("it keeps the axes that it sums over")
    factors = [read.required(read.producer(product, "Mul"), place) for place in (0, 1)]
    weights = next((value for value in factors if read.constant(value) is not None and value.shape), None)
    if weights is None or not read.is_float(product) or max(read.shape(weights), default=1) == 1:
        raise NoMatch("it is not the sum of a product with constant weights")
    total = b.reduce("ReduceSum", product, read.axes_of(node, product))
    return b.reshape(total, read.shape(node.outputs[0]))


RULE = Rule(
    code="weighted-sum",
    title="A sum with constant weights keeps its axis, and a reshape drops it: in 16-bit integers the NPU gives 0 else",
    ops=("ReduceSum",),
    trigger=Trigger.INTEGERS,
    exactness=Exactness.EXACT,
    rewrite=rewrite,
    before=Example("(x * torch.linspace(0, 1, 12)).sum(-1)", {"x": "float32[1,5,12]"}),
    after="(x * torch.linspace(0, 1, 12)).sum(-1, keepdim=True).squeeze(-1)",
    negative=Example("(x * y).sum(-1)", {"x": "float32[2,8]", "y": "float32[2,8]"}),
    more=(
        Example("(torch.arange(6.0) * x).sum((1, 2))", {"x": "float32[2,3,6]"}),
        Example("(x.softmax(-1) * torch.linspace(0, 1, 9)).sum(-1)", {"x": "float32[1,4,3,9]"}),
    ),
)
