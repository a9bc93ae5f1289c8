"""Batch normalization with statistics of the batch itself, written out."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value, scale, bias, mean, variance = (read.required(node, place) for place in range(5))
    if read.constant(mean) is not None and read.constant(variance) is not None:
        raise NoMatch("its statistics are constants, which the NPU takes")
    if node.attributes.get_int("training_mode", 0) or len(node.outputs) > 1:
        raise NoMatch("it is in training mode")
    sizes = read.shape(value)
    along = [1, sizes[1], *(1 for _ in sizes[2:])]
    scale, bias, mean, variance = (b.reshape(item, along) for item in (scale, bias, mean, variance))
    root = b.op("Sqrt", b.op("Add", variance, node.attributes.get_float("epsilon", 1e-5)))
    centred = b.op("Div", b.op("Sub", value, mean), root)
    return b.op("Add", b.op("Mul", centred, scale), bias)


RULE = Rule(
    code="batch-norm-computed",
    title="Batch normalization with statistics of the batch is written out",
    ops=("BatchNormalization",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("batchnorm-rank", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("F.batch_norm(x, None, None, training=True)", {"x": "float32[2,4,6,8]"}),
    after="(x - x.mean((0, 2, 3), keepdim=True)) / torch.sqrt(x.var((0, 2, 3), correction=0, keepdim=True) + 1e-5)",
    negative=Example("nn.BatchNorm2d(4)", {"x": "float32[2,4,6,8]"}),
    more=(Example("nn.BatchNorm1d(4, track_running_stats=False)", {"x": "float32[6,4]"}),),
)
