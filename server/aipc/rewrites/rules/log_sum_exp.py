"""The logarithm of a sum of exponentials, with the largest taken out first."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._range import FP16_LARGEST, exponent


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    if node.op_type == "Log":
        total = read.producer(read.argument(node, 0), "ReduceSum")
        powers = read.producer(read.argument(total, 0), "Exp")
        x = exponent(powers)
        inner = x.producer()
        if inner is not None and inner.op_type == "Sub":
            raise NoMatch("the largest value is subtracted already")
        axes = read.axes_of(total, read.required(total, 0))
        b.absorb(total, powers)
    else:
        x = read.required(node, 0)
        axes = read.axes_of(node, x)
    largest = b.reduce("ReduceMax", x, axes)
    # A row of -inf alone, or with +inf or NaN in it, is its largest: there is no difference to take.
    shift = b.op("Min", b.op("Max", largest, -FP16_LARGEST), FP16_LARGEST)
    powers_of_rest = b.exp(b.op("Sub", x, shift))
    result = b.op("Add", b.op("Log", b.reduce("ReduceSum", powers_of_rest, axes)), shift)
    result = b.op("Where", b.op("Equal", shift, largest), result, largest)
    return b.reshape(result, read.shape(node.outputs[0]))


RULE = Rule(
    code="log-sum-exp",
    title="The logarithm of a sum of exponentials is computed with the largest taken out, so that none overflows fp16",
    ops=("ReduceLogSumExp", "Log"),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("torch.logsumexp(x, -1)", {"x": "torch.randn(2, 16) * 40"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        largest = x.amax(-1)
        return torch.log(torch.exp(x - largest[:, None]).sum(-1)) + largest
""",
    negative=Example("torch.log(x.abs().sum(-1))", {"x": "float32[2,8]"}),
    more=(
        Example("torch.log(torch.exp(x).sum(-1, keepdim=True))", {"x": "torch.rand(2, 16) * 14"}),
        Example("torch.logsumexp(x, (1, 2))", {"x": "torch.randn(2, 6, 5) * 40"}),
    ),
)
