"""ReduceL1, as the sum of absolute values."""

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
    total = b.reduce("ReduceSum", b.op("Abs", x), read.axes_of(node, x))
    return b.reshape(total, read.shape(node.outputs[0]))


def source_edit(call: ast.Call, source: str, finding: Finding) -> list[Edit] | None:
    """``x.norm(p=1, dim=d)`` as ``x.abs().sum(d)``."""
    method = call.func
    if called(call) != "norm" or not isinstance(method, ast.Attribute) or literal(argument(call, 0, "p")) != 1:
        return None
    axes, keep = argument(call, 1, "dim"), argument(call, 2, "keepdim")
    if axes is None or text_of(method.value, source) in ("torch", "F"):
        return None
    rest = f", keepdim={text_of(keep, source)}" if keep is not None else ""
    text = f"{operand(method.value, source)}.abs().sum({text_of(axes, source)}{rest})"
    return [replace(call, text, source, finding)]


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
