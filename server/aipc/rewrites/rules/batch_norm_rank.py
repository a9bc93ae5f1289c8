"""Batch normalization of volumes, as that of images."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes = read.shape(value)
    if len(sizes) <= 4:
        raise NoMatch(f"the NPU takes batch normalization of rank {len(sizes)} as it is")
    if node.attributes.get_int("training_mode", 0) or len(node.outputs) > 1:
        raise NoMatch("it is in training mode")
    flat = b.reshape(value, [*sizes[:2], math.prod(sizes[2:-1]), sizes[-1]])
    parameters = [read.required(node, place) for place in range(1, 5)]
    epsilon = node.attributes.get_float("epsilon", 1e-5)
    return b.reshape(b.op("BatchNormalization", flat, *parameters, epsilon=epsilon), sizes)


RULE = Rule(
    code="batch-norm-rank",
    title="Batch normalization of volumes works on folded axes between reshapes",
    ops=("BatchNormalization",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("batchnorm-rank",),
    rewrite=rewrite,
    before=Example("nn.BatchNorm3d(4)", {"x": "float32[2,4,3,6,8]"}),
    after="""\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        return self.norm(x.flatten(2, 3)).unflatten(2, x.shape[2:4])
""",
    negative=Example("nn.BatchNorm2d(4)", {"x": "float32[2,4,6,8]"}),
)
