"""Softmax, from exponentials and their sum."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    axis = node.attributes.get_int("axis", -1) % read.rank(x)
    powers = b.op("Exp", b.op("Max", b.op("Sub", x, b.reduce("ReduceMax", x, [axis])), -80.0))
    return b.op("Div", powers, b.reduce("ReduceSum", powers, [axis]))


RULE = Rule(
    code="softmax-by-exp",
    title="A softmax is computed from exponentials and their sum, which the NPU rounds less than its own softmax",
    ops=("Softmax",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges"),
    rewrite=rewrite,
    before=Example("x.softmax(-1)", {"x": "float32[2,4,16,16]"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        powers = torch.exp(x - x.amax(-1, keepdim=True))
        return powers / powers.sum(-1, keepdim=True)
""",
    negative=Example("x.log_softmax(-1)", {"x": "float32[2,8]"}),
    more=(Example("x.softmax(1)", {"x": "float32[2,8,3]"}),),
)
