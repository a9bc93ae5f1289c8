"""Products with a constant, the constant second."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    first, second = read.required(node, 0), read.required(node, 1)
    if read.constant(first) is None or read.constant(second) is not None:
        raise NoMatch("its first operand is not a constant")
    return b.op("Mul", second, first)


RULE = Rule(
    code="multiply-by-constant",
    title="A product whose first factor is a constant is written with the constant second; "
    "the compiler cannot build the first form behind a normalization",
    ops=("Mul",),
    trigger=Trigger.UNBUILDABLE,
    exactness=Exactness.EXACT,
    answers=("finalize", "does-not-compile"),
    rewrite=rewrite,
    before=Example(
        """\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(64))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))
""",
        {"x": "float32[1,128,64]"},
    ),
    after="""\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(64))

    def forward(self, x):
        return (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)) * self.weight
""",
    negative=Example("x * 0.5 + x * x", {"x": "float32[1,128,64]"}),
    more=(Example("torch.tensor([[0.5], [2.0], [3.0]]) * x", {"x": "float32[2,3,8]"}),),
)
