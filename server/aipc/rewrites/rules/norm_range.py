"""The Euclidean norm, whose squares stay in the range of fp16."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, Rule
from ._range import scale_of


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    axes = read.axes_of(node, x)
    scale = scale_of(b, x, axes)
    small = b.op("Div", x, scale)
    total = b.reduce("ReduceSum", b.op("Mul", small, small), axes)
    return b.reshape(b.op("Mul", b.op("Sqrt", total), scale), read.shape(node.outputs[0]))


RULE = Rule(
    code="norm-range",
    title="A Euclidean norm is taken of values divided by the largest; the NPU's own saturates at 362",
    ops=("ReduceL2",),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("x.norm(dim=-1, keepdim=True)", {"x": "torch.randn(2, 64) * 900"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        scale = x.abs().amax(-1, keepdim=True)
        return (x / scale).norm(dim=-1, keepdim=True) * scale
""",
    negative=Example("x.norm(p=1, dim=-1)", {"x": "float32[2,8]"}),
    more=(
        Example("F.normalize(x, dim=1)", {"x": "torch.randn(1, 16, 4, 5) * 900"}),
        Example("F.cosine_similarity(x, y)", {"x": "torch.randn(2, 64) * 900", "y": "torch.randn(2, 64) * 900"}),
    ),
)
