"""One plus a hyperbolic tangent, as a quotient."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    values = [read.required(node, place) for place in (0, 1)]
    ones = [
        place for place, value in enumerate(values) if (one := read.constant(value)) is not None and (one == 1).all()
    ]
    if not ones or read.shape(values[1 - ones[0]]) != read.shape(node.outputs[0]):
        raise NoMatch("it does not add one")
    tanh = read.producer(values[1 - ones[0]], "Tanh")
    b.absorb(tanh)
    # 1 + tanh(u) = 2 / (1 + e^-2u): where tanh is near -1 the sum cancels, and the quotient keeps its small values.
    tail = b.exp(b.op("Mul", read.required(tanh, 0), -2.0))
    return b.op("Div", b.constant(np.asarray(2.0, read.dtype(tail))), b.op("Add", tail, 1.0))


RULE = Rule(
    code="one-plus-tanh",
    title="One plus a hyperbolic tangent becomes a quotient, which keeps the small values that the sum cancels",
    ops=("Add",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges"),
    rewrite=rewrite,
    before=Example('F.gelu(x, approximate="tanh")', {"x": "torch.linspace(-4, 4, 96).reshape(2, 48)"}),
    after="x * torch.sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))",
    negative=Example("torch.tanh(x) + 2", {"x": "float32[2,8]"}),
    more=(Example("1 + torch.tanh(x)", {"x": "float32[1,3,8,8]"}),),
)
