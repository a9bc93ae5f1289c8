"""Operators that work on rows of a tensor with many axes, on the rows of a matrix."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_ALONG = ("ArgMax", "ArgMin", "CumSum", "GatherElements", "TopK")


def _axis(node: ir.Node, rank: int) -> int:
    if node.op_type == "CumSum":
        return int(read.require_constant(read.argument(node, 1), "the axis").item()) % rank
    first = node.op_type not in ("TopK", "LayerNormalization")
    return node.attributes.get_int("axis", 0 if first else -1) % rank


def rewrite(node: ir.Node, b: Builder) -> ir.Value | list[ir.Value]:
    value = read.required(node, 0)
    sizes = read.shape(value)
    rank = len(sizes)
    # Five axes are not refused alone, but not built either.
    if rank <= 4:
        raise NoMatch(f"the rank {rank} is not what the NPU refuses")
    axis = _axis(node, rank)
    attributes = {name: item.value for name, item in node.attributes.items() if name != "axis"}
    if node.op_type == "LayerNormalization":
        if axis != rank - 1 or any(output.uses() for output in node.outputs[1:]):
            raise NoMatch("it normalizes several axes, or its mean is used")
        flat = b.reshape(value, [math.prod(sizes[:-1]), sizes[-1]])
        return b.reshape(b.op(node.op_type, flat, *node.inputs[1:], axis=-1, **attributes), sizes)
    order = [*(place for place in range(rank) if place != axis), axis]
    back = [order.index(place) for place in range(rank)]

    def rows(item: ir.Value) -> ir.Value:
        length = read.shape(item)[axis]
        return b.reshape(b.transpose(item, order), [math.prod(read.shape(item)) // max(1, length), length])

    def restored(item: ir.Value, like: ir.Value) -> ir.Value:
        wanted = read.shape(like)
        if len(wanted) < rank:
            return b.reshape(item, wanted)
        return b.transpose(b.reshape(item, [wanted[place] for place in order]), back)

    flat = rows(value)
    if node.op_type == "TopK":
        outputs = b.ops("TopK", flat, read.required(node, 1), outputs=2, axis=1, **attributes)
        return [restored(item, like) for item, like in zip(outputs, node.outputs, strict=True)]
    if node.op_type == "GatherElements":
        indices = read.required(node, 1)
        index_sizes = read.shape(indices)
        if any(sizes[place] != index_sizes[place] for place in range(rank) if place != axis):
            raise NoMatch("its indices cover a part of the other axes only")
        made_one = b.op("GatherElements", flat, rows(indices), axis=1, **attributes)
    elif node.op_type == "CumSum":
        made_one = b.op("CumSum", flat, b.constant(np.asarray(1, np.int64)), **attributes)
    else:
        made_one = b.op(node.op_type, flat, axis=1, **{**attributes, "keepdims": 1})
    return restored(made_one, node.outputs[0])


RULE = Rule(
    code="fold-rank-rows",
    title="An operator along one of many axes works on the rows of a matrix between reshapes",
    ops=("LayerNormalization", *_ALONG),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("rank", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("F.layer_norm(x, (6,))", {"x": "float32[1,2,3,4,6]"}),
    after="F.layer_norm(x.flatten(0, 3), (6,)).unflatten(0, (1, 2, 3, 4))",
    negative=Example("F.layer_norm(x, (6,))", {"x": "float32[2,4,6]"}),
    more=(
        Example("x.argmax(2)", {"x": "float32[1,2,3,4,6]"}),
        Example("x.topk(3, 3)[0]", {"x": "float32[1,2,3,4,6]"}),
    ),
)
