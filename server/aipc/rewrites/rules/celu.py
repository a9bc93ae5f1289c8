"""Celu, as a scaled Elu."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    alpha = node.attributes.get_float("alpha", 1.0)
    return b.op("Mul", b.op("Elu", b.op("Mul", x, 1.0 / alpha), alpha=1.0), alpha)


RULE = Rule(
    code="celu",
    title="Celu becomes an Elu between two multiplications",
    ops=("Celu",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("F.celu(x, 1.5)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    after="F.elu(x / 1.5) * 1.5",
    negative=Example("F.elu(x, 1.5)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    more=(Example("F.celu(x)", {"x": "torch.linspace(-3, 3, 40)"}),),
)
