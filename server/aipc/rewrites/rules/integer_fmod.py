"""The remainder of integers with the dividend's sign, from their quotient."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x, y = read.required(node, 0), read.required(node, 1)
    if read.is_float(x) or not node.attributes.get_int("fmod", 0):
        raise NoMatch("it is of floating point, or its sign is the divisor's")
    # The quotient of integers is truncated, in ONNX as in C.
    return b.op("Sub", x, b.op("Mul", b.op("Div", x, y), y))


RULE = Rule(
    code="integer-fmod",
    title="The fmod of integers becomes the dividend less the truncated quotient's product",
    ops=("Mod",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("torch.fmod(x, 3)", {"x": "torch.arange(-20, 20, dtype=torch.int32)"}),
    after='x - torch.div(x, 3, rounding_mode="trunc") * 3',
    negative=Example("x % 3", {"x": "torch.arange(-20, 20, dtype=torch.int32)"}),
    more=(Example("torch.fmod(x, -7)", {"x": "torch.arange(-20, 20)"}),),
)
