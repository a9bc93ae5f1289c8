"""Infinity of one sign, as a comparison with what fp16 can hold."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ._range import FP16_LARGEST, number


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    operands = [read.required(node, place) for place in (0, 1)]
    parts = [read.producer(item, "IsInf", "Greater", "Less") for item in operands]
    sign, test = sorted(parts, key=lambda item: item.op_type == "IsInf")
    if test.op_type != "IsInf" or sign.op_type == "IsInf" or sign.inputs[0] is not test.inputs[0]:
        raise NoMatch("it is no test for infinity of one sign")
    if number(read.argument(sign, 1), "the limit") != 0:
        raise NoMatch("the sign is not asked for")
    b.absorb(sign, test)
    x = read.required(test, 0)
    # On the NPU no comparison with an infinity is true: a limit before it takes the other sign away.
    size = b.op("Max", x if sign.op_type == "Greater" else b.op("Neg", x), 0.0)
    return b.op("Not", b.op("LessOrEqual", size, FP16_LARGEST))


RULE = Rule(
    code="is-signed-infinite",
    title="The test for infinity of one sign becomes a comparison with the largest number of fp16",
    ops=("And",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    excludes=NonFinite.NAN,
    answers=("unsupported-operator", "runs-on-cpu", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("torch.where(torch.isposinf(x), 100.0, x)", {"x": "float32[2,8]"}),
    after="torch.where(~(x.clamp(min=0) <= 65504), 100.0, x)",
    negative=Example("(x > 0) & (x < 1)", {"x": "float32[2,8]"}),
    more=(Example("torch.where(torch.isneginf(x), -100.0, x)", {"x": "float32[2,8]"}),),
)
