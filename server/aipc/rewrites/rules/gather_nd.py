"""GatherND as Gather over one axis."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    if node.attributes.get_int("batch_dims", 0):
        raise NoMatch("it has batch axes")
    data, positions = read.required(node, 0), read.required(node, 1)
    sizes, tuples = read.shape(data), read.shape(positions)
    depth = tuples[-1]
    if depth == 1:
        indices = b.reshape(positions, [math.prod(tuples)])
    else:
        array = read.constant(positions)
        if array is None:
            raise NoMatch("its index tuples are computed")
        wrapped = np.where(array < 0, array + np.asarray(sizes[:depth]), array)
        indices = b.constant(np.ravel_multi_index(np.moveaxis(wrapped, -1, 0), sizes[:depth]).astype(np.int64).ravel())
    flat = b.reshape(data, [math.prod(sizes[:depth]), math.prod(sizes[depth:])])
    return b.reshape(b.op("Gather", flat, indices, axis=0), read.shape(node.outputs[0]))


RULE = Rule(
    code="gather-nd",
    title="GatherND becomes a Gather over one flattened axis",
    ops=("GatherND",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    answers=("wrong-numbers", "runs-on-cpu", "rank"),
    rewrite=rewrite,
    before=Example("x[:, :, torch.tensor([0, 4, 2, 1, 3, 3, 2])]", {"x": "float32[2,3,5]"}),
    after="torch.index_select(x, 2, torch.tensor([0, 4, 2, 1, 3, 3, 2]))",
    negative=Example(
        "x[i, j] * 2", {"x": "float32[5,4,3]", "i": "torch.tensor([0, 4, 2])", "j": "torch.tensor([0, 3, 2])"}
    ),
    more=(
        Example("x[torch.tensor([0, 4, 2]), torch.tensor([-1, 3, 2])] * 2", {"x": "float32[5,4,3]"}),
        Example('F.interpolate(x, scale_factor=2, mode="linear")', {"x": "float32[1,3,33]"}),
        Example('F.interpolate(x, size=(13, 11), mode="nearest-exact")', {"x": "float32[1,3,8,8]"}),
        Example("x[i] * 2", {"x": "float32[5,4,3]", "i": "torch.tensor([0, 4, 2, 1, 3, 3, 2])"}),
    ),
)
