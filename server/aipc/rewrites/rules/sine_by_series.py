"""Sin and Cos, from their series within a half turn.

QAIRT 2.51 computes both with an error that does not shrink with the result. Measured on v75, SQNR in dB against fp32,
its own and by this series: sin within 0.01, 39 and 99; within 0.1, 60 and 74; within 3, 62 and 73; within 30, 43
and 73.
"""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule

_PI = (3.125, 0.015625, math.pi - 3.140625)
"""Parts of pi: multiples of the first are exact in fp16 up to the 81st, those of the second up to the 2048th."""

_FACTORS = tuple((-1) ** term / math.factorial(2 * term + 1) for term in range(1, 6))


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    if not read.is_float(x):
        raise NoMatch("it is not of floats")
    is_cosine = node.op_type == "Cos"
    # The number of half turns to the nearest zero; that of the cosine lies a quarter turn further.
    turns = b.op("Mul", x, 1 / math.pi)
    half_turns = b.op("Floor", turns if is_cosine else b.op("Add", turns, 0.5))
    rest = x
    for part in _PI:
        rest = b.op("Sub", rest, b.op("Mul", half_turns, part))
    if is_cosine:
        for part in _PI:
            rest = b.op("Sub", rest, part / 2)
    square = b.op("Mul", rest, rest)
    series = b.op("Mul", square, _FACTORS[-1])
    for factor in reversed(_FACTORS[:-1]):
        series = b.op("Mul", square, b.op("Add", series, factor))
    sine = b.op("Add", rest, b.op("Mul", rest, series))
    half = b.op("Mul", half_turns, 0.5)
    is_odd = b.op("Sub", half, b.op("Floor", half))  # 0 or a half
    sign = b.op("Sub", b.op("Mul", is_odd, 4.0), 1.0) if is_cosine else b.op("Sub", 1.0, b.op("Mul", is_odd, 4.0))
    return b.op("Mul", sine, sign)


RULE = Rule(
    code="sine-by-series",
    title="Sin and Cos are computed by their series, which is nearer near their zeros and for large arguments",
    ops=("Sin", "Cos"),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("torch.sin(x)", {"x": "torch.linspace(-0.05, 0.05, 96).reshape(2, 48)"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        square = x * x
        return x + x * square * (-1 / 6 + square * (1 / 120 - square / 5040))  # for x below 1
""",
    negative=Example("torch.tanh(x)", {"x": "float32[2,8]"}),
    more=(
        Example("torch.sin(x)", {"x": "torch.linspace(-30, 30, 96).reshape(2, 48)"}),
        Example("torch.cos(x)", {"x": "torch.linspace(-30, 30, 96).reshape(2, 48)"}),
    ),
)
