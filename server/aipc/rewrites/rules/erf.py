"""The error function, by the rational approximation of Abramowitz and Stegun."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule

# Abramowitz and Stegun, Handbook of Mathematical Functions, formula 7.1.26: an absolute error of at most 1.5e-7.
_P = 0.3275911
_COEFFICIENTS = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    size = b.op("Abs", x)
    t = b.op("Reciprocal", b.op("Add", b.op("Mul", size, _P), 1.0))
    series = b.op("Mul", t, _COEFFICIENTS[0])
    for factor in _COEFFICIENTS[1:]:
        series = b.op("Mul", b.op("Add", series, factor), t)
    tail = b.op("Mul", series, b.exp(b.op("Neg", b.op("Mul", size, size))))
    return b.op("Mul", b.op("Sign", x), b.op("Add", b.op("Neg", tail), 1.0))


RULE = Rule(
    code="erf",
    title="Erf becomes a polynomial times an exponential, right to 1.5e-7",
    ops=("Erf",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("torch.erf(x)", {"x": "torch.linspace(-4, 4, 96).reshape(2, 3, 16)"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        t = 1 / (1 + 0.3275911 * x.abs())
        factors = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
        series = sum(factor * t**power for power, factor in enumerate(factors, 1))
        return torch.sign(x) * (1 - series * torch.exp(-x * x))
""",
    negative=Example("torch.relu(x)", {"x": "float32[2,3]"}),
    more=(Example("torch.erfc(x)", {"x": "torch.linspace(-3, 3, 40)"}),),
)
