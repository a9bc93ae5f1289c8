"""log(1 + e^x) written out, in a form whose exponential cannot overflow."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._range import exponent, other_than_number


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    total = read.producer(read.argument(node, 0), "Add")
    value, one, _ = other_than_number(total)
    powers = read.producer(value, "Exp")
    if one != 1:
        raise NoMatch("it does not add one")
    x = exponent(powers)
    inner = x.producer()
    if inner is not None and inner.op_type in ("Neg", "Clip"):
        raise NoMatch("the exponent is limited already")
    b.absorb(total, powers)
    tail = b.op("Log", b.op("Add", b.exp(b.op("Neg", b.op("Abs", x))), 1.0))
    return b.op("Add", b.op("Max", x, 0.0), tail)


RULE = Rule(
    code="log-one-plus-exp",
    title="The logarithm of one plus an exponential is computed so that the exponential cannot overflow",
    ops=("Log",),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("torch.log(1 + torch.exp(x))", {"x": "torch.linspace(-30, 30, 96).reshape(2, 48)"}),
    after="x.clamp(min=0) + torch.log(1 + torch.exp(-x.abs()))",
    negative=Example("torch.log(2 + torch.exp(x))", {"x": "float32[2,8]"}),
    more=(Example("torch.log1p(torch.exp(x))", {"x": "torch.linspace(-30, 30, 40)"}),),
)
