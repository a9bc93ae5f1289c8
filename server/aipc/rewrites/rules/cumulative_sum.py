"""CumSum, as a product with a triangular matrix of ones."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule

_LONGEST = 2048
"""The matrix has the square of this many elements: 8 MB in fp16."""


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    shape = read.shape(x)
    axis = int(read.require_constant(read.required(node, 1), "the axis").item()) % len(shape)
    size = shape[axis]
    if not read.is_float(x) or size > _LONGEST:
        raise NoMatch(f"it is no sum of floats over at most {_LONGEST} elements")
    matrix = np.tri(size, k=-1 if node.attributes.get_int("exclusive", 0) else 0, dtype=read.dtype(x))
    if node.attributes.get_int("reverse", 0):
        matrix = matrix[::-1, ::-1]
    inner = math.prod(shape[axis + 1 :])
    if inner == 1:
        rows = b.reshape(x, [math.prod(shape[:axis]), size])
        return b.reshape(b.op("MatMul", rows, np.ascontiguousarray(matrix.T)), shape)
    columns = b.reshape(x, [math.prod(shape[:axis]), size, inner])
    return b.reshape(b.op("MatMul", np.ascontiguousarray(matrix)[None], columns), shape)


RULE = Rule(
    code="cumulative-sum",
    title="CumSum becomes a product with a triangular matrix of ones",
    ops=("CumSum",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("rank", "unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("x.cumsum(-1)", {"x": "float32[1,2,3,4,16]"}),
    after="x @ torch.ones(16, 16).triu()",
    negative=Example("x.cumprod(-1)", {"x": "float32[2,8]"}),
    more=(
        Example("x.cumsum(2)", {"x": "float32[1,2,8,3,4]"}),
        Example("x.flip(1).cumsum(1).flip(1)", {"x": "float32[2,5,1,3,4]"}),
    ),
)
