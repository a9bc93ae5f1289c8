"""Sinh and Cosh, from two exponentials."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, Rule
from ..site import Site


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    # Halved inside the exponent: e^x alone leaves the range of fp16 before sinh(x) does.
    up = b.exp(b.op("Sub", x, math.log(2)))
    down = b.exp(b.op("Sub", b.op("Neg", x), math.log(2)))
    return b.op("Sub" if node.op_type == "Sinh" else "Add", up, down)


def source_edit(site: Site) -> str | None:
    """``torch.sinh(x)`` and ``torch.cosh(x)`` from exponentials."""
    operation = site.operation("sinh cosh", "input", method=True)
    if operation is None:
        return None
    torch, x = site.torch(), site.repeated(operation.operands[0])
    sign = "-" if operation.name == "sinh" else "+"
    return f"({torch}.exp({x}) {sign} {torch}.exp(-{x})) / 2"


RULE = Rule(
    code="hyperbolic",
    title="Sinh and Cosh become a difference or sum of exponentials",
    ops=(
        "Sinh",
        "Cosh",
    ),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("torch.sinh(x)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    after="torch.exp(x - math.log(2)) - torch.exp(-x - math.log(2))",
    negative=Example("torch.tanh(x)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    more=(Example("torch.cosh(x)", {"x": "torch.linspace(-3, 3, 40)"}),),
)
