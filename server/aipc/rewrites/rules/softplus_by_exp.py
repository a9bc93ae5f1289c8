"""Softplus, from an exponential and a logarithm."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    tail = b.op("Log", b.op("Add", b.exp(b.op("Neg", b.op("Abs", x))), 1.0))
    return b.op("Add", b.op("Max", x, 0.0), tail)


RULE = Rule(
    code="softplus-by-exp",
    title="Softplus is computed from an exponential and a logarithm, which the NPU rounds less",
    ops=("Softplus",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("F.softplus(x)", {"x": "torch.linspace(-9, 9, 96).reshape(2, 48)"}),
    after="x.clamp(min=0) + torch.log(1 + torch.exp(-x.abs()))",
    negative=Example("torch.tanh(x)", {"x": "float32[2,8]"}),
    more=(Example("nn.Sequential(nn.Conv2d(3, 8, 3), nn.Softplus())", {"x": "float32[1,3,16,16]"}),),
)
