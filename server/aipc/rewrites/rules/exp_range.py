"""The exponential, kept where the NPU computes it rightly."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    inner = x.producer()
    if inner is not None and inner.op_type in ("Clip", "Min", "Max"):
        raise NoMatch("its input is limited already")
    return b.exp(x)


RULE = Rule(
    code="exp-range",
    title="The input of an exponential is limited to the range in which the NPU does not wrap around",
    ops=("Exp",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.POSITIVE,
    answers=("wrong-numbers", "diverges"),
    rewrite=rewrite,
    before=Example("torch.exp(x)", {"x": "torch.linspace(-300, 9, 96).reshape(2, 48)"}),
    after="torch.exp(x.clamp(-80, 88))",
    negative=Example("torch.exp(x.clamp(-80, 88))", {"x": "float32[2,8]"}),
)
