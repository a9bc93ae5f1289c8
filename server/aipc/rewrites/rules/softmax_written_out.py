"""Exponentials divided by their sum, as the softmax that they are."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ._range import exponent


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    top, total = read.required(node, 0), read.producer(read.argument(node, 1), "ReduceSum")
    powers = read.required(total, 0)
    exponentials = [read.producer(value, "Exp") for value in (top, powers)]
    first, second = (exponent(item) for item in exponentials)
    axes = read.axes_of(total, powers)
    if first is not second or len(axes) != 1 or not total.attributes.get_int("keepdims", 1):
        raise NoMatch("the sum is of other exponentials, or over several axes")
    shift = first.producer()
    if shift is not None and shift.op_type == "Sub":
        raise NoMatch("the largest value is subtracted already")
    b.absorb(total, *exponentials)
    return b.op("Softmax", first, axis=axes[0])


RULE = Rule(
    code="softmax-written-out",
    title="Exponentials divided by their sum become a softmax, which subtracts the largest first and cannot overflow",
    ops=("Div",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.POSITIVE,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("torch.exp(x) / torch.exp(x).sum(-1, keepdim=True)", {"x": "torch.rand(2, 16) * 14"}),
    after="torch.softmax(x, -1)",
    negative=Example("torch.exp(x) / (x * x).sum(-1, keepdim=True)", {"x": "float32[2,8]"}),
    more=(
        Example(
            """\
class Model(nn.Module):
    def forward(self, x):
        powers = torch.exp(x)
        return powers / powers.sum(1, keepdim=True)
""",
            {"x": "torch.rand(2, 6, 5) * 14"},
        ),
    ),
)
