"""ReduceL1, as the sum of absolute values."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    total = b.reduce("ReduceSum", b.op("Abs", x), read.axes_of(node, x))
    return b.reshape(total, read.shape(node.outputs[0]))


RULE = Rule(
    code="reduce-l1",
    title="The L1 norm becomes a sum of absolute values",
    ops=("ReduceL1",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("x.norm(p=1, dim=-1)", {"x": "float32[2,8]"}),
    after="x.abs().sum(-1)",
    negative=Example("x.norm(dim=-1)", {"x": "float32[2,8]"}),
    more=(Example("x.norm(p=1, dim=(1, 2), keepdim=True)", {"x": "float32[2,3,4,5]"}),),
)
