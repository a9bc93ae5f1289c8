"""Mish, from exponentials that cannot overflow."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, Rule
from ..site import Site


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


def source_edit(site: Site) -> str | None:
    """``F.mish(x)`` as ``x * torch.tanh(F.softplus(x))``."""
    operation = site.operation("mish", "input inplace", homes="torch.nn.functional", module="Mish inplace")
    if operation is None or operation.value("inplace", False):
        return None
    x = site.repeated(operation.operands[0])
    return f"{x} * {site.torch()}.tanh({site.functional()}.softplus({x}))"


RULE = Rule(
    code="mish",
    title="Mish becomes a quotient of polynomials in an exponential",
    ops=("Mish",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("F.mish(x)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    after="x * torch.tanh(F.softplus(x))",
    negative=Example("torch.relu(x)", {"x": "float32[2,3]"}),
    more=(Example("F.mish(x)", {"x": "torch.linspace(-3, 3, 40)"}),),
)
