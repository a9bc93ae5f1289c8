"""ScatterND of whole rows as a choice by their positions: in integers ScatterND stays a float operator."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_MOST_ROWS = 8
"""Each row becomes a choice over the whole of the data."""


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    if node.attributes.get_string("reduction", "none") != "none":
        raise NoMatch("it adds or compares")
    data, indices, updates = (read.required(node, place) for place in range(3))
    sizes, places = read.shape(data), read.shape(indices)
    if not read.is_float(data) or places[-1] != 1:
        raise NoMatch("its indices name single elements and not rows")
    count = int(np.prod(places[:-1]))
    if count > _MOST_ROWS:
        raise NoMatch(f"it writes {count} rows")
    rest = sizes[1:]
    positions = b.reshape(indices, [count])
    values = b.reshape(updates, [count, *rest])
    known = read.constant(positions)
    if known is not None:
        positions = b.constant(np.where(known < 0, known + sizes[0], known))
    else:
        positions = b.op("Where", b.op("Less", positions, 0), b.op("Add", positions, sizes[0]), positions)
    every = np.arange(sizes[0], dtype=read.dtype(indices)).reshape(sizes[0], *(1 for _ in rest))
    result = data
    # Where a position stands twice, ONNX leaves open which row stays; PyTorch's own loop keeps the last.
    for number in range(count):
        position = b.reshape(b.slice(positions, 0, number, number + 1), [1 for _ in sizes])
        row = b.slice(values, 0, number, number + 1)
        result = b.op("Where", b.op("Equal", position, every), row, result)
    return result


RULE = Rule(
    code="scatter-by-where",
    title="Rows written at positions become a choice between old and new by position",
    ops=("ScatterND",),
    trigger=Trigger.INTEGERS,
    exactness=Exactness.EXACT,
    rewrite=rewrite,
    before=Example(
        "x.index_copy(2, i, y)", {"x": "float32[1,2,6,4]", "i": "torch.tensor([3])", "y": "float32[1,2,1,4]"}
    ),
    after="torch.where((torch.arange(6) == i)[:, None], y, x)",
    negative=Example(
        "x.index_put((i, j), y)",
        {"x": "float32[4,3]", "i": "torch.tensor([0, 2])", "j": "torch.tensor([1, 1])", "y": "float32[2]"},
    ),
    more=(
        Example("x.index_copy(0, i, y)", {"x": "float32[6,4]", "i": "torch.tensor([5, 0])", "y": "float32[2,4]"}),
        Example("x.index_put((i,), y)", {"x": "float32[5,2,3]", "i": "torch.tensor([-1])", "y": "float32[1,2,3]"}),
    ),
)
