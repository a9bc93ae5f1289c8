"""ReduceL1, as the sum of absolute values."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule
from ..site import Site


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    total = b.reduce("ReduceSum", b.op("Abs", x), read.axes_of(node, x))
    return b.reshape(total, read.shape(node.outputs[0]))


def source_edit(site: Site) -> str | None:
    """``x.norm(p=1, dim=d)`` as ``x.abs().sum(d)``."""
    order, parameters = "p", "input p dim keepdim"
    operation = site.operation("norm", parameters, method=True)
    if operation is None:
        order, parameters = "ord", "input ord dim keepdim"
        operation = site.operation("vector_norm", parameters, homes="torch.linalg")
    if operation is None or operation.value(order, 2) not in (1, 1.0):
        return None
    axes = [
        site.text(operation.options[name]) if name == "dim" else f"{name}={site.text(operation.options[name])}"
        for name in ("dim", "keepdim")
        if name in operation.options
    ]
    return f"{site.operand(operation.operands[0])}.abs().sum({', '.join(axes)})"


RULE = Rule(
    code="reduce-l1",
    title="The L1 norm becomes a sum of absolute values",
    ops=("ReduceL1",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("x.norm(p=1, dim=-1)", {"x": "float32[2,8]"}),
    after="x.abs().sum(-1)",
    negative=Example("x.norm(dim=-1)", {"x": "float32[2,8]"}),
    more=(Example("x.norm(p=1, dim=(1, 2), keepdim=True)", {"x": "float32[2,3,4,5]"}),),
)
