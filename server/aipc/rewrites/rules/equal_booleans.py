"""Equality of booleans, as exclusive or."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    y = read.required(node, 1)
    if read.dtype(x).kind != "b":
        raise NoMatch("the NPU takes the comparison of numbers as it is")
    return b.op("Not", b.op("Xor", x, y))


RULE = Rule(
    code="equal-booleans",
    title="Equality of booleans becomes a negated exclusive or",
    ops=("Equal",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("((x > 0) == (y > 0)).float()", {"x": "float32[2,8]", "y": "float32[2,8]"}),
    after="(~((x > 0) ^ (y > 0))).float()",
    negative=Example("(x == y).float()", {"x": "float32[2,8]", "y": "float32[8]"}),
    more=(Example("x // 3", {"x": "torch.arange(-20, 20, dtype=torch.int32)"}),),
)
