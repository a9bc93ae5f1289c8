"""Padded tensors with more axes than the NPU takes, axis after axis on three folded axes."""

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
    rank = len(sizes)
    if rank <= 4:
        raise NoMatch(f"the rank {rank} is not what the NPU refuses")
    if node.attributes.get_string("mode", "constant") != "constant":
        raise NoMatch("it pads with values of the tensor")
    ends = read.require_constant(node.inputs[1], "the padding").tolist()
    axes_input = read.argument(node, 3)
    axes = list(range(rank)) if axes_input is None else read.require_constant(axes_input, "the axes").tolist()
    for place, axis in enumerate(axes):
        first, last = ends[place], ends[place + len(axes)]
        if first < 0 or last < 0:
            raise NoMatch("it cuts off instead of padding")
        if first == last == 0:
            continue
        axis %= rank
        flat = b.reshape(value, [math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :])])
        value = b.op("Pad", flat, np.asarray([0, first, 0, 0, last, 0], np.int64), read.argument(node, 2))
        sizes[axis] += first + last
    return b.reshape(value, sizes)


RULE = Rule(
    code="fold-rank-pad",
    title="A tensor with many axes is padded axis after axis on three folded axes between reshapes",
    ops=("Pad",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("rank",),
    rewrite=rewrite,
    before=Example("F.pad(x.reshape(2, 2, 3, 4, 2, 3), (0, 0, 0, 0, 1, 2)).flatten(2)", {"x": "float32[4,12,6]"}),
    after="F.pad(x.reshape(12, 4, 6), (0, 0, 1, 2)).reshape(2, 2, -1)",
    negative=Example("F.pad(x, (0, 0, 1, 2))", {"x": "float32[2,3,8]"}),
    more=(Example("F.pad(x.reshape(2, 2, 3, 4, 2, 3), (1, 0, 0, 1), value=0.5).flatten(2)", {"x": "float32[4,12,6]"}),),
)
