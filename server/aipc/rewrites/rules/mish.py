"""Mish, from exponentials that cannot overflow."""

from __future__ import annotations

import ast

import numpy as np
import onnx_ir as ir

from aipc.core.types import Finding

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Edit, Example, Rule
from ..source import argument, called, is_simple, replace, text_of, torch_name


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    # tanh(log(1 + e^x)) = (e^2x + 2 e^x) / (e^2x + 2 e^x + 2); with u = e^-|x| nothing grows.
    u = b.exp(b.op("Neg", b.op("Abs", x)))
    square, double = b.op("Mul", u, u), b.op("Mul", u, 2.0)
    positive = b.op("Add", double, 1.0)
    negative = b.op("Add", square, double)
    above = b.op("Greater", x, 0.0)
    top = b.op("Where", above, positive, negative)
    rest = b.op("Where", above, b.op("Mul", square, 2.0), b.constant(np.asarray(2.0, read.dtype(x))))
    return b.op("Mul", x, b.op("Div", top, b.op("Add", top, rest)))


def source_edit(call: ast.Call, source: str, finding: Finding) -> list[Edit] | None:
    """``F.mish(x)`` as ``x * torch.tanh(F.softplus(x))``."""
    value = argument(call, 0, "input")
    if called(call) != "mish" or value is None or not is_simple(value):
        return None
    torch, edits = torch_name(source, finding)
    x, prefix = text_of(value, source), text_of(call.func, source)[: -len("mish")]
    return [*edits, replace(call, f"({x} * {torch}.tanh({prefix}softplus({x})))", source, finding)]


RULE = Rule(
    code="mish",
    title="Mish becomes a quotient of polynomials in an exponential",
    ops=("Mish",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("F.mish(x)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    after="x * torch.tanh(F.softplus(x))",
    negative=Example("torch.relu(x)", {"x": "float32[2,3]"}),
    more=(Example("F.mish(x)", {"x": "torch.linspace(-3, 3, 40)"}),),
)
