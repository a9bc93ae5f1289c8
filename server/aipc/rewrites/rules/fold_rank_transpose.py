"""Transposes of more axes than the NPU takes, as transposes of fewer."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_MAX_RANK = 5


def _folded(perm: list[int]) -> list[list[int]]:
    """The output's axes in groups that stay together: each a run of consecutive input axes."""
    groups: list[list[int]] = []
    for axis in perm:
        if groups and axis == groups[-1][-1] + 1:
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups


def transpose(b: Builder, value: ir.Value, perm: list[int]) -> ir.Value:
    """Transpose through at most five axes at a time; axes of size 1 count for nothing."""
    sizes = read.shape(value)
    result = [sizes[axis] for axis in perm]
    axes = [axis for axis in range(len(sizes)) if sizes[axis] != 1]
    value = b.reshape(value, [sizes[axis] for axis in axes])
    order = [axes.index(axis) for axis in perm if sizes[axis] != 1]
    lengths = [sizes[axis] for axis in axes]
    while order != sorted(order):
        groups = _folded(order)
        places = sorted(groups)
        if len(groups) <= _MAX_RANK:
            folded = b.reshape(value, [math.prod(lengths[axis] for axis in item) for item in places])
            value = b.transpose(folded, [places.index(item) for item in groups])
            break
        # Bring the first group that is out of place to its place: a swap of two of four folded axes.
        first_moved = next(place for place, axis in enumerate(order) if place != axis)
        moved = next(item for item in groups if order[first_moved] in item)
        parts = [range(first_moved), range(first_moved, moved[0]), moved, range(moved[-1] + 1, len(order))]
        block = [math.prod(lengths[axis] for axis in part) for part in parts]
        value = b.transpose(b.reshape(value, block), [0, 2, 1, 3])
        now = [*parts[0], *moved, *parts[1], *parts[3]]
        lengths = [lengths[axis] for axis in now]
        order = [now.index(axis) for axis in order]
    return b.reshape(value, result)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    rank = read.rank(value)
    if rank <= _MAX_RANK:
        raise NoMatch(f"the NPU takes transposes of {rank} axes as they are")
    return transpose(b, value, read.ints(node, "perm", reversed(range(rank))))


RULE = Rule(
    code="fold-rank-transpose",
    title="A transpose of more than five axes becomes transposes of folded axes between reshapes",
    ops=("Transpose",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("rank",),
    rewrite=rewrite,
    before=Example(
        "x.view(2, 2, 4, 2, 4, 6).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, 4, 6)", {"x": "float32[2,8,8,6]"}
    ),
    after="x.view(4, 4, 2, 24).transpose(1, 2).reshape(-1, 4, 4, 6)",
    negative=Example("x.permute(0, 3, 1, 4, 2)", {"x": "float32[1,2,3,4,5]"}),
    more=(
        Example("x.reshape(2, 2, 3, 4, 5, 6).permute(5, 3, 1, 4, 2, 0).reshape(24, -1)", {"x": "float32[4,12,30]"}),
        Example("x.reshape(2, 3, 2, 2, 3, 2, 2).permute(6, 4, 2, 0, 5, 3, 1).reshape(2, -1)", {"x": "float32[6,4,12]"}),
    ),
)
