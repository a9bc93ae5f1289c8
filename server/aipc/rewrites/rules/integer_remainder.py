"""The remainder of integers, from their quotient."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._integers import floored, quotient


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x, y = read.required(node, 0), read.required(node, 1)
    if read.dtype(x).kind != "i":
        raise NoMatch("it is of floating point or without a sign")
    if node.attributes.get_int("fmod", 0):
        return b.op("Sub", x, b.op("Mul", quotient(b, x, y), y))
    return floored(b, x, y)[1]


RULE = Rule(
    code="integer-remainder",
    title="The remainder of integers, which the NPU takes in fp16, becomes a division, a product and a difference",
    ops=("Mod",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    answers=("unsupported-operator", "runs-on-cpu", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("x % 80", {"x": "torch.arange(-24000, 24000, 37)"}),
    after="x - torch.div(x, 80, rounding_mode='floor') * 80",
    negative=Example("x % 0.75", {"x": "float32[2,8]"}),
    more=(
        Example("x % 128", {"x": "torch.arange(-24000, 24000, 37)"}),
        Example("x % -7", {"x": "torch.arange(-240, 240, 7, dtype=torch.int32)"}),
        Example("x % y", {"x": "torch.arange(-240, 240, 7)", "y": "torch.arange(69) * 2 - 69"}),
        Example("torch.fmod(x, 3)", {"x": "torch.arange(-20, 20, dtype=torch.int32)"}),
        Example("torch.fmod(x, 64)", {"x": "torch.arange(-2000, 2000, 37)"}),
        Example("x // 7", {"x": "torch.arange(-240, 240, 7)"}),
    ),
)
