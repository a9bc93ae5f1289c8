"""Tan, as sine over cosine."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    return b.op("Div", b.op("Sin", x), b.op("Cos", x))


RULE = Rule(
    code="tangent",
    title="Tan becomes sine over cosine, which the NPU computes rightly near the poles",
    ops=("Tan",),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    answers=("wrong-numbers",),
    rewrite=rewrite,
    before=Example("torch.tan(x)", {"x": "float32[1,3,16,16]"}),
    after="torch.sin(x) / torch.cos(x)",
    negative=Example("torch.sin(x)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    more=(Example("torch.tan(x)", {"x": "torch.linspace(-0.99, 0.99, 96).reshape(2, 3, 16)"}),),
)
