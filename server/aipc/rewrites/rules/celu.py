"""Celu, as a scaled Elu."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule
from ..site import Site


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    alpha = node.attributes.get_float("alpha", 1.0)
    return b.op("Mul", b.op("Elu", b.op("Mul", x, 1.0 / alpha), alpha=1.0), alpha)


def source_edit(site: Site) -> str | None:
    """``F.celu(x, a)`` as ``F.elu(x / a) * a``."""
    operation = site.operation(
        "celu", "input alpha inplace", homes="torch torch.nn.functional", module="CELU alpha inplace"
    )
    if operation is None or operation.value("inplace", False):
        return None
    alpha, elu = operation.value("alpha", 1.0), f"{site.functional()}.elu"
    if alpha == 1:
        return f"{elu}({site.text(operation.operands[0])})"
    return f"{elu}({site.operand(operation.operands[0])} / {alpha}) * {alpha}"


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
