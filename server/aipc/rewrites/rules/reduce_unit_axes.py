"""Sums and means without axes of size one: in integers, behind a convolution over one axis, the NPU's are wrong."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    sizes, axes = read.shape(x), read.axes_of(node, x)
    longer = [axis for axis in axes if sizes[axis] != 1]
    if len(longer) == len(axes) or not longer or not read.is_float(x):
        raise NoMatch("no axis of several has the size one")
    return b.reshape(b.reduce(node.op_type, x, longer), read.shape(node.outputs[0]))


RULE = Rule(
    code="reduce-unit-axes",
    title="A sum or mean leaves out axes of size one, with which the NPU gives other numbers in integers",
    ops=("ReduceMean", "ReduceSum"),
    trigger=Trigger.INTEGERS,
    exactness=Exactness.ROUNDING,
    rewrite=rewrite,
    before=Example("x.unsqueeze(2).mean((2, 3))", {"x": "float32[1,4,9]"}),
    after="x.unsqueeze(2).mean(3).squeeze(2)",
    negative=Example("x.mean((2, 3))", {"x": "float32[1,4,3,5]"}),
    more=(
        Example("F.adaptive_avg_pool1d(x, 1)", {"x": "float32[1,8,20]"}),
        Example("x.unsqueeze(1).sum((1, 3), keepdim=True)", {"x": "float32[2,3,7]"}),
    ),
)
