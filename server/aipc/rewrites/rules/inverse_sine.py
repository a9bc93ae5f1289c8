"""Asin and Acos, from Atan."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule
from ..site import Site


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    root = b.op("Sqrt", b.op("Mul", b.op("Add", x, 1.0), b.op("Add", b.op("Neg", x), 1.0)))
    angle = b.op("Mul", b.op("Atan", b.op("Div", x, b.op("Add", root, 1.0))), 2.0)
    return angle if node.op_type == "Asin" else b.op("Add", b.op("Neg", angle), math.pi / 2)


def source_edit(site: Site) -> str | None:
    """``torch.asin(x)`` and ``torch.acos(x)`` from ``torch.atan``."""
    operation = site.operation("asin acos arcsin arccos", "input", method=True)
    if operation is None:
        return None
    torch, x = site.torch(), site.repeated(operation.operands[0])
    angle = f"2 * {torch}.atan({x} / (1 + {torch}.sqrt((1 + {x}) * (1 - {x}))))"
    return angle if operation.name.endswith("sin") else f"{torch}.pi / 2 - {angle}"


RULE = Rule(
    code="inverse-sine",
    title="Asin and Acos become an Atan",
    ops=(
        "Asin",
        "Acos",
    ),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("torch.asin(x)", {"x": "torch.linspace(-0.99, 0.99, 96).reshape(2, 3, 16)"}),
    after="2 * torch.atan(x / (1 + torch.sqrt((1 + x) * (1 - x))))",
    negative=Example("torch.atan(x)", {"x": "torch.linspace(-0.99, 0.99, 96).reshape(2, 3, 16)"}),
    more=(Example("torch.acos(x)", {"x": "torch.linspace(-0.99, 0.99, 96).reshape(2, 3, 16)"}),),
)
