"""Reshapes of reshapes, as one."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_KINDS = ("Reshape", "Squeeze", "Unsqueeze", "Flatten")


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    wanted = read.shape(node.outputs[0])
    if read.shape(value) == wanted and not node.outputs[0].is_graph_output():
        return value
    first = value.producer()
    if first is None or first.op_type not in _KINDS or first.domain:
        raise NoMatch("its input is not a reshape")
    source = read.required(first, 0)
    read.shape(source)
    b.absorb(first)
    return b.reshape(source, wanted)


RULE = Rule(
    code="merge-reshapes",
    title="Consecutive reshapes become one",
    ops=_KINDS,
    trigger=Trigger.UNBUILDABLE,
    exactness=Exactness.EXACT,
    answers=("finalize", "does-not-compile", "rank"),
    rewrite=rewrite,
    before=Example("torch.relu(x.reshape(2, 3, 2, 3, 8).reshape(6, 48))", {"x": "float32[2,3,6,8]"}),
    after="torch.relu(x.reshape(6, 48))",
    negative=Example("torch.relu(x.reshape(6, 48))", {"x": "float32[2,3,6,8]"}),
    more=(Example("torch.relu(x.reshape(2, 3, 1, 2, 3, 8).squeeze(2))", {"x": "float32[2,3,6,8]"}),),
)
