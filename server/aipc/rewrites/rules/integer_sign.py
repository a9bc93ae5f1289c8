"""The negative and the sign of integers, by a difference."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    if read.dtype(x).kind != "i":
        raise NoMatch("the NPU takes it of floating point as it is")
    if node.op_type == "Neg":
        return b.op("Mul", x, -1)
    return b.op("Min", b.op("Max", x, -1), 1)


RULE = Rule(
    code="integer-sign",
    title="The negative of integers becomes a product, and their sign a clamp to -1 and 1",
    ops=("Neg", "Sign"),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("-x + 1", {"x": "torch.arange(-12, 12, dtype=torch.int32)"}),
    after="x * -1 + 1",
    negative=Example("-x", {"x": "float32[2,8]"}),
    more=(Example("torch.sign(x)", {"x": "torch.arange(-12, 12, dtype=torch.int32)"}),),
)
