"""Matrix products with more batch axes than the NPU takes, with one."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    values = [read.required(node, place) for place in (0, 1)]
    result = read.shape(node.outputs[0])
    if len(result) <= 4 or min(read.rank(value) for value in values) < 2:
        raise NoMatch(f"the rank {len(result)} is not what the NPU refuses")
    batch = result[:-2]
    parts = []
    for value in values:
        sizes = read.shape(value)
        if math.prod(sizes[:-2]) > 1:
            sizes = (*batch, *sizes[-2:])
        own = b.expand(value, sizes)
        parts.append(b.reshape(own, [math.prod(sizes[:-2]), *sizes[-2:]]))
    return b.reshape(b.op("MatMul", *parts), result)


RULE = Rule(
    code="fold-rank-matmul",
    title="A matrix product with many batch axes has one batch axis between reshapes",
    ops=("MatMul",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("rank", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example(
        "(x.reshape(2, 2, 3, 4, 5, 6) @ y.reshape(2, 2, 3, 4, 6, 2)).flatten(2)",
        {"x": "float32[4,12,30]", "y": "float32[4,12,12]"},
    ),
    after="(x.reshape(48, 5, 6) @ y.reshape(48, 6, 2)).reshape(2, 2, -1)",
    negative=Example("x @ y", {"x": "float32[2,3,8]", "y": "float32[8,4]"}),
    more=(Example("(x.reshape(2, 2, 3, 4, 5, 6) @ y).flatten(2)", {"x": "float32[4,12,30]", "y": "float32[6,2]"}),),
)
