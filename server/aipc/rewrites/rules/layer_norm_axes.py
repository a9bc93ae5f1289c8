"""Layer normalization over several axes, as over one."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes = read.shape(value)
    axis = node.attributes.get_int("axis", -1) % len(sizes)
    if axis == len(sizes) - 1:
        raise NoMatch("the NPU takes layer normalization over the last axis as it is")
    if any(output.uses() or output.is_graph_output() for output in node.outputs[1:]):
        raise NoMatch("the mean or the deviation is used too")
    length = math.prod(sizes[axis:])
    flat = b.reshape(value, [*sizes[:axis], length])
    parameters = []
    for position in (1, 2):
        given = read.argument(node, position)
        if given is not None:
            given = b.reshape(b.expand(given, sizes[axis:]), [length])
        parameters.append(given)
    normed = b.op(
        "LayerNormalization",
        flat,
        *parameters,
        axis=-1,
        epsilon=node.attributes.get_float("epsilon", 1e-5),
        stash_type=node.attributes.get_int("stash_type", 1),
    )
    return b.reshape(normed, sizes)


RULE = Rule(
    code="layer-norm-axes",
    title="Layer normalization over several axes becomes one over a single, flattened axis",
    ops=("LayerNormalization",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("layernorm-axes",),
    rewrite=rewrite,
    before=Example("F.layer_norm(x, (6, 8))", {"x": "float32[2,4,6,8]"}),
    after="F.layer_norm(x.flatten(2), (48,)).unflatten(2, (6, 8))",
    negative=Example("F.layer_norm(x, (8,))", {"x": "float32[2,4,6,8]"}),
    more=(
        Example("nn.LayerNorm([4, 6, 8])", {"x": "float32[2,4,6,8]"}),
        Example("nn.LayerNorm([5, 7], elementwise_affine=False)", {"x": "float32[3,5,7]"}),
    ),
)
