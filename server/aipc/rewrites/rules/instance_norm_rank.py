"""Instance normalization of volumes, as that of sequences."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value, scale, bias = (read.required(node, place) for place in range(3))
    sizes = read.shape(value)
    if len(sizes) <= 4:
        raise NoMatch(f"the NPU takes instance normalization of rank {len(sizes)} as it is")
    flat = b.reshape(value, [*sizes[:2], math.prod(sizes[2:])])
    epsilon = node.attributes.get_float("epsilon", 1e-5)
    return b.reshape(b.op("InstanceNormalization", flat, scale, bias, epsilon=epsilon), sizes)


RULE = Rule(
    code="instance-norm-rank",
    title="Instance normalization of volumes works on one folded axis between reshapes",
    ops=("InstanceNormalization",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("F.instance_norm(x)", {"x": "float32[2,4,3,6,8]"}),
    after="F.instance_norm(x.flatten(2)).unflatten(2, x.shape[2:])",
    negative=Example("F.instance_norm(x)", {"x": "float32[2,4,9]"}),
    more=(Example("nn.InstanceNorm3d(4, affine=True)", {"x": "float32[1,4,3,6,8]"}),),
)
