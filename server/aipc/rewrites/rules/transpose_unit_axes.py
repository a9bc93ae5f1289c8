"""Transposes that move nothing, as reshapes."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes = read.shape(value)
    perm = read.ints(node, "perm", reversed(range(len(sizes))))
    moved = [axis for axis in perm if sizes[axis] != 1]
    if moved != sorted(moved):
        raise NoMatch("axes longer than 1 change their order")
    return b.reshape(value, [sizes[axis] for axis in perm])


RULE = Rule(
    code="transpose-unit-axes",
    title="A transpose that moves only axes of size 1 becomes a reshape",
    ops=("Transpose",),
    trigger=Trigger.UNBUILDABLE,
    exactness=Exactness.EXACT,
    answers=("finalize", "does-not-compile", "rank"),
    rewrite=rewrite,
    before=Example("torch.relu(x.permute(0, 2, 1, 3))", {"x": "float32[2,1,6,8]"}),
    after="torch.relu(x.reshape(2, 6, 1, 8))",
    negative=Example("torch.relu(x.permute(0, 2, 1, 3))", {"x": "float32[2,3,6,8]"}),
    more=(Example("torch.relu(x.permute(2, 0, 1))", {"x": "float32[1,6,1]"}),),
)
