"""IsInf of what is never infinite, as its answer."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    # Computed from it, so that the proof has something to feed; NaN is not below zero either.
    return b.op("Less", b.op("Abs", x), 0.0)


RULE = Rule(
    code="fold-is-infinite",
    title="The test for infinity of a softmax, a sigmoid or a limited tensor answers no",
    ops=("IsInf",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    excludes=NonFinite.INFINITE,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("torch.nan_to_num(x.softmax(-1))", {"x": "float32[2,8]"}),
    after="torch.where(x.softmax(-1).isnan(), 0.0, x.softmax(-1))",
    negative=Example("torch.nan_to_num(x)", {"x": "float32[2,8]"}),
)
