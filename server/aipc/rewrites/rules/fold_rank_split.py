"""Splits of tensors with more axes than the NPU takes, as slices of three folded axes."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> list[ir.Value]:
    value = read.required(node, 0)
    sizes = read.shape(value)
    if len(sizes) <= 4:
        raise NoMatch(f"the rank {len(sizes)} is not what the NPU refuses")
    axis = node.attributes.get_int("axis", 0) % len(sizes)
    flat = b.reshape(value, [math.prod(sizes[:axis]), sizes[axis], math.prod(sizes[axis + 1 :])])
    parts, start = [], 0
    for output in node.outputs:
        shape = read.shape(output)
        parts.append(b.reshape(b.slice(flat, 1, start, start + shape[axis]), shape))
        start += shape[axis]
    return parts


RULE = Rule(
    code="fold-rank-split",
    title="A split of a tensor with many axes becomes slices of three folded axes between reshapes",
    ops=("Split",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("rank",),
    rewrite=rewrite,
    before=Example(
        """\
class Model(nn.Module):
    def forward(self, x):
        first, second = x.reshape(2, 2, 3, 4, 2, 3).chunk(2, 3)
        return (first - second).flatten(2)
""",
        {"x": "float32[4,12,6]"},
    ),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        x = x.reshape(12, 4, 6)
        return (x[:, :2] - x[:, 2:]).reshape(2, 2, -1)
""",
    negative=Example("x.chunk(2, 1)[0]", {"x": "float32[2,4,8]"}),
    more=(
        Example(
            "torch.cat(x.reshape(2, 2, 3, 4, 2, 3).split([1, 3], 3)[::-1], 3).flatten(2)", {"x": "float32[4,12,6]"}
        ),
    ),
)
