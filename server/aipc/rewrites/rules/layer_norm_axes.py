"""Layer normalization over several axes, as over one."""

from __future__ import annotations

import ast
import math

import onnx_ir as ir

from aipc.core.types import Finding, Range

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Edit, Example, NoMatch, Rule
from ..source import argument, called, literal, operand, replace


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


def source_edit(call: ast.Call, source: str, finding: Finding) -> list[Edit] | None:
    """``F.layer_norm`` over several literal axes, as over one."""
    value, shape = argument(call, 0, "input"), argument(call, 1, "normalized_shape")
    sizes = literal(shape)
    if called(call) != "layer_norm" or value is None or shape is None or not isinstance(sizes, (tuple, list)):
        return None
    if len(sizes) < 2 or not all(isinstance(item, int) for item in sizes):
        return None
    edits = [
        replace(value, f"{operand(value, source)}.flatten(-{len(sizes)})", source, finding),
        replace(shape, f"({math.prod(sizes)},)", source, finding),
    ]
    for position, name in ((2, "weight"), (3, "bias")):
        given = argument(call, position, name)
        if given is not None and not isinstance(given, ast.Constant):
            edits.append(replace(given, f"{operand(given, source)}.flatten()", source, finding))
    whole = replace(call, "", source, finding)[0]
    edits.append((Range(whole.file, whole.end, whole.end), f".unflatten(-1, {tuple(sizes)})"))
    return edits


RULE = Rule(
    code="layer-norm-axes",
    title="Layer normalization over several axes becomes one over a single, flattened axis",
    ops=("LayerNormalization",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("layernorm-axes",),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("F.layer_norm(x, (6, 8))", {"x": "float32[2,4,6,8]"}),
    after="F.layer_norm(x.flatten(2), (48,)).unflatten(2, (6, 8))",
    negative=Example("F.layer_norm(x, (8,))", {"x": "float32[2,4,6,8]"}),
    more=(
        Example("nn.LayerNorm([4, 6, 8])", {"x": "float32[2,4,6,8]"}),
        Example("nn.LayerNorm([5, 7], elementwise_affine=False)", {"x": "float32[3,5,7]"}),
    ),
)
