"""Division of integers by a power of two, rounded towards zero."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._integers import is_power_of_two, quotient


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x, y = read.required(node, 0), read.required(node, 1)
    if read.dtype(x).kind != "i":
        raise NoMatch("it is of floating point or without a sign")
    if not is_power_of_two(y):
        raise NoMatch("the NPU divides by other integers exactly")
    return quotient(b, x, y)


RULE = Rule(
    code="integer-division",
    title="The division of integers by a power of two, which the NPU rounds down, goes by its negative",
    ops=("Div",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    answers=("wrong-numbers",),
    rewrite=rewrite,
    before=Example("x // 8", {"x": "torch.arange(-240, 240, 7)"}),
    after="torch.div(x, 8, rounding_mode='floor')",
    negative=Example("x // 7", {"x": "torch.arange(-240, 240, 7)"}),
    more=(Example("x // 65536", {"x": "torch.arange(-24, 24, dtype=torch.int32) * 100003"}),),
)
