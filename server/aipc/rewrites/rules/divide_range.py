"""A quotient whose divisor may be large, with both sides made smaller."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_LARGE = 2.0**13
_FACTOR = 2.0**-8


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    first, second = read.required(node, 0), read.required(node, 1)
    if not read.is_float(first) or read.constant(second) is not None:
        raise NoMatch("integers are divided, or by a constant")
    made_by = second.producer()
    if made_by is not None and made_by.op_type == "Max":
        raise NoMatch("the divisor is limited already")
    divided = first.producer()
    if divided is not None and divided.op_type == "Exp":
        raise NoMatch("an exponential is divided, as in a softmax")
    factor, one = (b.constant(np.asarray(value, read.dtype(first))) for value in (_FACTOR, 1.0))
    share = b.op("Where", b.op("Greater", b.op("Abs", second), _LARGE), factor, one)
    return b.op("Div", b.op("Mul", first, share), b.op("Mul", second, share))


RULE = Rule(
    code="divide-range",
    title="Both sides of a quotient with a large divisor are made smaller, whose reciprocal fp16 cannot hold",
    ops=("Div",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("x / (1 + x.abs())", {"x": "torch.linspace(-6e4, 6e4, 96).reshape(2, 48)"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        divisor = 1 + x.abs()
        share = torch.where(divisor > 8192, 2.0**-8, 1.0)
        return (x * share) / (divisor * share)
""",
    negative=Example("x / 30000", {"x": "float32[2,8]"}),
    more=(Example("x / y", {"x": "torch.randn(2, 8) * 3e4", "y": "torch.rand(2, 8) * 4e4 + 2e4"}),),
)
