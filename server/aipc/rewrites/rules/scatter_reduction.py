"""ScatterElements that adds or compares, as a product or a choice with a mask of places."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule

_MAX_MASK = 4 << 20
_REDUCE = {"max": ("ReduceMax", "Max"), "min": ("ReduceMin", "Min")}


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    reduction = node.attributes.get_string("reduction", "none")
    if reduction not in ("add", "max", "min"):
        raise NoMatch(f"its reduction is {reduction}")
    data, indices, updates = (read.required(node, place) for place in range(3))
    if not read.is_float(data):
        raise NoMatch("it is not floating point")
    sizes, index_sizes = read.shape(data), read.shape(indices)
    axis = node.attributes.get_int("axis", 0) % len(sizes)
    if any(sizes[place] != index_sizes[place] for place in range(len(sizes)) if place != axis):
        raise NoMatch("its indices cover a part of the other axes only")
    length, count = sizes[axis], index_sizes[axis]
    rows = math.prod(sizes) // length
    if rows * count * length > _MAX_MASK:
        raise NoMatch(f"a mask of {rows} x {count} x {length} is too large")
    order = [*(place for place in range(len(sizes)) if place != axis), axis]
    flat = b.reshape(b.transpose(data, order), [rows, 1, length])
    values = b.reshape(b.transpose(updates, order), [rows, count, 1])
    places = b.reshape(b.transpose(indices, order), [rows, count, 1])
    known = read.constant(places)
    if known is not None:
        places = b.constant(np.where(known < 0, known + length, known))
    else:
        places = b.op("Where", b.op("Less", places, 0), b.op("Add", places, length), places)
    mask = b.op("Equal", places, np.arange(length, dtype=read.dtype(indices)).reshape(1, 1, length))
    if reduction == "add":
        product = b.op("MatMul", b.reshape(values, [rows, 1, count]), b.cast(mask, read.dtype(data)))
        result = b.op("Add", flat, product)
    else:
        reduce, choose = _REDUCE[reduction]
        limits = np.finfo(read.dtype(data))
        never = limits.min if reduction == "max" else limits.max
        spread = b.op("Where", mask, values, b.constant(np.asarray(never, read.dtype(data))))
        result = b.op(choose, flat, b.reduce(reduce, spread, [1]))
    result = b.reshape(result, [sizes[place] for place in order])
    return b.transpose(result, [order.index(place) for place in range(len(sizes))])


RULE = Rule(
    code="scatter-reduction",
    title="A scatter that adds or compares becomes a product with, or a choice by, a mask of places",
    ops=("ScatterElements",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example(
        "x.scatter_add(1, i, y)",
        {"x": "float32[2,8]", "i": "torch.tensor([[0, 2, 1], [1, 0, 1]])", "y": "float32[2,3]"},
    ),
    after="x + (y.unsqueeze(1) @ (i.unsqueeze(2) == torch.arange(8)).float()).squeeze(1)",
    negative=Example(
        "x.scatter(1, i, y)",
        {"x": "float32[2,8]", "i": "torch.tensor([[0, 2, 1], [1, 0, 3]])", "y": "float32[2,3]"},
    ),
    more=(
        Example(
            "x.scatter_add(1, torch.tensor([[0, 2, 1], [1, 0, 1]]), y)", {"x": "float32[2,8]", "y": "float32[2,3]"}
        ),
        Example(
            'x.scatter_reduce(0, i, y, "amax")',
            {"x": "float32[4,3]", "i": "torch.tensor([[0, 2, 1], [1, 0, 1]])", "y": "float32[2,3]"},
        ),
        Example(
            'x.scatter_reduce(2, i, y, "amin")',
            {"x": "float32[2,3,6]", "i": "torch.arange(24).reshape(2, 3, 4) % 6", "y": "float32[2,3,4]"},
        ),
    ),
)
