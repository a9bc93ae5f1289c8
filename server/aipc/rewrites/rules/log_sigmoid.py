"""The logarithm of a sigmoid, in a form that keeps its small values."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    first = read.producer(read.required(node, 0), "Sigmoid")
    if first.domain:
        raise NoMatch("another domain's sigmoid")
    b.absorb(first)
    x = read.required(first, 0)
    # log(sigmoid(x)) = min(x, 0) - log(1 + e^-|x|): the sigmoid alone is 0 in fp16 where its logarithm is -17.
    tail = b.op("Log", b.op("Add", b.exp(b.op("Neg", b.op("Abs", x))), 1.0))
    return b.op("Sub", b.op("Min", x, 0.0), tail)


RULE = Rule(
    code="log-sigmoid",
    title="The logarithm of a sigmoid is computed without the sigmoid, whose small values fp16 loses",
    ops=("Log",),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    answers=("wrong-numbers", "fp16-precision"),
    rewrite=rewrite,
    before=Example("F.logsigmoid(x)", {"x": "torch.linspace(-9, 9, 96).reshape(2, 48)"}),
    after="x.clamp(max=0) - torch.log(1 + torch.exp(-x.abs()))",
    negative=Example("torch.log(x)", {"x": "torch.linspace(0.1, 9, 96)"}),
    more=(Example("F.logsigmoid(x)", {"x": "torch.linspace(-9, 9, 40)"}),),
)
