"""Repeated tensors with more axes than the NPU takes, axis after axis on three folded axes."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes = list(read.shape(value))
    if len(sizes) <= 4:
        raise NoMatch(f"the rank {len(sizes)} is not what the NPU refuses")
    counts = read.require_constant(node.inputs[1], "the numbers of repetitions").tolist()
    for axis, count in enumerate(counts):
        if count == 1:
            continue
        flat = b.reshape(value, [math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :])])
        value = b.op("Tile", flat, np.asarray([1, count, 1], np.int64))
        sizes[axis] *= count
    return b.reshape(value, sizes)


RULE = Rule(
    code="fold-rank-tile",
    title="A tensor with many axes is repeated axis after axis on three folded axes between reshapes",
    ops=("Tile",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("rank",),
    rewrite=rewrite,
    before=Example("x.reshape(2, 2, 3, 4, 2, 3).tile(1, 1, 1, 2, 1, 1).flatten(2)", {"x": "float32[4,12,6]"}),
    after="x.reshape(12, 4, 6).tile(1, 2, 1).reshape(2, 2, -1)",
    negative=Example("x.tile(1, 2, 1)", {"x": "float32[2,3,8]"}),
    more=(Example("x.reshape(2, 2, 3, 4, 2, 3).tile(2, 1, 1, 3, 1, 1).flatten(2)", {"x": "float32[4,12,6]"}),),
)
