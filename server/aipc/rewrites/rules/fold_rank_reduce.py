"""Reductions of tensors with more axes than the NPU takes, on folded axes."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_MAX_GROUPS = 4


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes = read.shape(value)
    if len(sizes) <= 4:
        raise NoMatch(f"the rank {len(sizes)} is not what the NPU refuses")
    reduced = set(read.axes_of(node, value))
    groups: list[list[int]] = []
    for axis in range(len(sizes)):
        if sizes[axis] == 1:
            continue
        if groups and (groups[-1][-1] in reduced) == (axis in reduced):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    lengths = [math.prod(sizes[axis] for axis in group) for group in groups]
    axes = [place for place, group in enumerate(groups) if group[0] in reduced]
    flat = b.reshape(value, lengths)
    if not axes and node.op_type == "ReduceL2":
        flat = b.op("Abs", flat)  # the norm of one number
    elif len(groups) <= _MAX_GROUPS and axes:
        flat = b.reduce(node.op_type, flat, axes)
    else:
        # Kept and reduced axes alternate. A reduction of reductions over equal numbers of places is the whole one.
        for place in axes:
            flat = b.reshape(flat, [math.prod(lengths[:place]), lengths[place], math.prod(lengths[place + 1 :])])
            flat = b.reduce(node.op_type, flat, [1])
            lengths[place] = 1
    return b.reshape(flat, read.shape(node.outputs[0]))


RULE = Rule(
    code="fold-rank-reduce",
    title="A reduction of a tensor with many axes works on folded axes between reshapes",
    ops=("ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceL2"),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("rank",),
    rewrite=rewrite,
    before=Example("x.reshape(2, 2, 3, 4, 2, 3).sum((2, 4)).flatten(1)", {"x": "float32[4,12,6]"}),
    after="x.reshape(4, 3, 4, 2, 3).sum((1, 3)).reshape(2, -1)",
    negative=Example("x.sum(1)", {"x": "float32[2,3,8]"}),
    more=(
        Example("x.reshape(2, 2, 3, 4, 2, 3).mean((3, 4)).flatten(1)", {"x": "float32[4,12,6]"}),
        Example("x.reshape(2, 2, 3, 4, 2, 3).amax((0, 1, 5)).flatten(1)", {"x": "float32[4,12,6]"}),
        Example("x.reshape(2, 2, 3, 4, 2, 3).mean((1, 3, 5)).flatten(1)", {"x": "float32[4,12,6]"}),
    ),
)
