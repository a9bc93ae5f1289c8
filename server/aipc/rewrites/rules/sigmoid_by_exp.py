"""The sigmoid, from an exponential."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    return b.op("Reciprocal", b.op("Add", b.exp(b.op("Neg", x)), 1.0))


RULE = Rule(
    code="sigmoid-by-exp",
    title="A sigmoid is computed from an exponential, right to each value and not only to 2**-11",
    ops=("Sigmoid",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sigmoid())", {"x": "float32[1,3,16,16]"}),
    after="""\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return 1 / (1 + torch.exp(-self.convolution(x)))
""",
    negative=Example("torch.tanh(x)", {"x": "float32[2,8]"}),
    more=(Example("F.silu(x)", {"x": "torch.linspace(-9, 9, 40)"}),),
)
