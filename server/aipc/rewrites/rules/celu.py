"""Celu, as a scaled Elu."""

from __future__ import annotations

import ast

import onnx_ir as ir

from aipc.core.types import Finding

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Edit, Example, Rule
from ..source import argument, called, literal, operand, replace, text_of


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    alpha = node.attributes.get_float("alpha", 1.0)
    return b.op("Mul", b.op("Elu", b.op("Mul", x, 1.0 / alpha), alpha=1.0), alpha)


def source_edit(call: ast.Call, source: str, finding: Finding) -> list[Edit] | None:
    """``F.celu(x, a)`` as ``F.elu(x / a) * a``."""
    value, alpha = argument(call, 0, "input"), literal(argument(call, 1, "alpha"), 1.0)
    if called(call) != "celu" or value is None or not isinstance(alpha, (int, float)):
        return None
    prefix = text_of(call.func, source)[: -len("celu")]
    inner = text_of(value, source) if alpha == 1 else f"{operand(value, source)} / {alpha}"
    text = f"{prefix}elu({inner})"
    return [replace(call, text if alpha == 1 else f"({text} * {alpha})", source, finding)]


RULE = Rule(
    code="celu",
    title="Celu becomes an Elu between two multiplications",
    ops=("Celu",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("F.celu(x, 1.5)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    after="F.elu(x / 1.5) * 1.5",
    negative=Example("F.elu(x, 1.5)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    more=(Example("F.celu(x)", {"x": "torch.linspace(-3, 3, 40)"}),),
)
