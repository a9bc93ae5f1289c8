"""A cast to an integer and back, as the rounding towards zero that it means."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule

_WIDE = (np.int32, np.int64)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    whole = read.required(node, 0)
    first = read.producer(whole, "Cast")
    x = read.required(first, 0)
    if not read.is_float(x) or not read.is_float(node.outputs[0]) or read.dtype(whole) not in _WIDE:
        raise NoMatch("it is no cast of floating point to a wide integer and back")
    b.absorb(first)
    return b.cast(b.op("Mul", b.op("Sign", x), b.op("Floor", b.op("Abs", x))), read.dtype(node.outputs[0]))


RULE = Rule(
    code="truncate",
    title="A cast to an integer and back, which the compiler drops, becomes a rounding towards zero",
    ops=("Cast",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    excludes=NonFinite.ANY,
    answers=("wrong-numbers",),
    rewrite=rewrite,
    before=Example("x.int().float()", {"x": "torch.linspace(-9.75, 9.75, 96).reshape(2, 48)"}),
    after="x.sign() * x.abs().floor()",
    negative=Example("x.int() + 1", {"x": "float32[2,8]"}),
    more=(Example("x - x.long()", {"x": "torch.linspace(-9.75, 9.75, 96).reshape(2, 3, 16)"}),),
)
