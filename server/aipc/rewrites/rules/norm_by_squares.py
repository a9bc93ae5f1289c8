"""The Euclidean norm as the root of a sum of squares: in integers ReduceL2 stays a float operator."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    if not read.is_float(x):
        raise NoMatch("its values are integers")
    total = b.reduce("ReduceSum", b.op("Mul", x, x), read.axes_of(node, x))
    return b.reshape(b.op("Sqrt", total), read.shape(node.outputs[0]))


RULE = Rule(
    code="norm-by-squares",
    title="A Euclidean norm becomes the root of a sum of squares",
    ops=("ReduceL2",),
    trigger=Trigger.INTEGERS,
    exactness=Exactness.ROUNDING,
    rewrite=rewrite,
    before=Example("x.norm(dim=-1)", {"x": "float32[2,8]"}),
    after="(x * x).sum(-1).sqrt()",
    negative=Example("x.norm(p=1, dim=-1)", {"x": "float32[2,8]"}),
    more=(
        Example("torch.view_as_complex(x).abs()", {"x": "float32[1,6,2]"}),
        Example("F.normalize(x, dim=1)", {"x": "float32[1,16,4,5]"}),
    ),
)
