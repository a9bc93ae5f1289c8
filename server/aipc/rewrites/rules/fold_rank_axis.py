"""Operators that work along one axis of a tensor with many, on three: before, along, after."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def _flat(b: Builder, value: ir.Value, axis: int) -> ir.Value:
    sizes = read.shape(value)
    return b.reshape(value, [math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :])])


def _slices(node: ir.Node, b: Builder) -> ir.Value:
    """Slice, axis after axis."""
    value = read.required(node, 0)
    starts, stops = (read.require_constant(node.inputs[place], "a bound").tolist() for place in (1, 2))
    count, sizes = len(starts), list(read.shape(value))
    arguments = [read.argument(node, place) for place in (3, 4)]
    axes = list(range(count)) if arguments[0] is None else read.require_constant(arguments[0], "the axes").tolist()
    steps = [1] * count if arguments[1] is None else read.require_constant(arguments[1], "the steps").tolist()
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        axis %= len(sizes)
        indices = range(*slice(start, stop if stop > -(2**31) else None, step).indices(sizes[axis]))
        if len(indices) == 0:
            raise NoMatch("an empty slice")
        flat = _flat(b, value, axis)
        if step > 0:
            flat = b.slice(flat, 1, indices[0], indices[-1] + 1, step)
        else:
            flat = b.gather(flat, np.asarray(indices), 1)
        sizes[axis] = len(indices)
        value = b.reshape(flat, sizes)
    return value


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    rank = read.rank(value)
    result = read.shape(node.outputs[0])
    if max(rank, len(result)) <= 4:
        raise NoMatch(f"the rank {rank} is not what the NPU refuses")
    if node.op_type == "Slice":
        return _slices(node, b)
    axis = node.attributes.get_int("axis", 0 if node.op_type == "Gather" else -1) % rank
    if node.op_type == "Concat":
        parts = [_flat(b, item, axis) for item in node.inputs if item is not None]
        return b.reshape(b.concat(parts, 1), result)
    flat = _flat(b, value, axis)
    if node.op_type == "Gather":
        indices = read.required(node, 1)
        flat = b.op("Gather", flat, b.reshape(indices, [math.prod(read.shape(indices))]), axis=1)
    elif read.shape(flat)[2] == 1:
        flat = b.reshape(b.op(node.op_type, b.reshape(flat, read.shape(flat)[:2]), axis=1), read.shape(flat))
    else:
        flat = b.op(node.op_type, b.transpose(flat, [0, 2, 1]), axis=2)
        flat = b.transpose(flat, [0, 2, 1])
    return b.reshape(flat, result)


RULE = Rule(
    code="fold-rank-axis",
    title="An operator along one of many axes works on three folded axes between reshapes",
    ops=("Concat", "Gather", "LogSoftmax", "Slice", "Softmax"),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("rank", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("x.reshape(2, 2, 3, 4, 2, 3).softmax(3).flatten(2)", {"x": "float32[4,12,6]"}),
    after="x.reshape(12, 4, 6).softmax(1).reshape(2, 2, -1)",
    negative=Example("x.softmax(1)", {"x": "float32[2,3,8]"}),
    more=(
        Example("x.reshape(2, 2, 3, 4, 2, 3)[:, :, 1:, ::2].flatten(2)", {"x": "float32[4,12,6]"}),
        Example("x.reshape(2, 2, 3, 4, 2, 3).flip(2, 4).flatten(2)", {"x": "float32[4,12,6]"}),
        Example(
            "torch.cat([x.reshape(2, 2, 3, 4, 2, 3), y.reshape(2, 2, 1, 4, 2, 3)], 2).flatten(2)",
            {"x": "float32[4,12,6]", "y": "float32[4,4,6]"},
        ),
        Example("x.reshape(2, 2, 3, 4, 2, 3).log_softmax(-1).flatten(2)", {"x": "float32[4,12,6]"}),
        Example("F.unfold(x, 3, padding=1, stride=2)", {"x": "float32[1,2,8,8]"}),
    ),
)
