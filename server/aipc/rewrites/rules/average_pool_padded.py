"""Average pooling of padded windows, as a convolution of each channel with itself."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_RIGHT = ([3, 3], [5, 5])
"""Windows that come out right. Of others, most are shifted as if padded twice (QAIRT 2.51, v73 and v75)."""


def _zeros_around(value: ir.Value) -> bool:
    """Whether the pooling reads what another node padded with zeros: the compiler joins the two."""
    node = value.producer()
    if node is None or node.op_type != "Pad" or node.attributes.get_string("mode", "constant") != "constant":
        return False
    filling = read.argument(node, 2)
    array = None if filling is None else read.constant(filling)
    return filling is None or (array is not None and not array.any())


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    count = read.rank(value) - 2
    kernel = read.ints(node, "kernel_shape")
    pads = read.ints(node, "pads", [0] * 2 * count)
    padded = any(pads) and bool(node.attributes.get_int("count_include_pad", 0))
    if count > 2 or kernel in _RIGHT or any(step != 1 for step in read.ints(node, "dilations", [1] * count)):
        raise NoMatch("it pools volumes, dilated windows, or such as the NPU takes rightly")
    ceil = bool(node.attributes.get_int("ceil_mode", 0))
    if ceil or node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise NoMatch("padding that depends on the size (auto_pad, ceil_mode)")
    if not padded and (any(pads) or not _zeros_around(value)):
        raise NoMatch("no zeros are averaged with it")
    strides = read.ints(node, "strides", [1] * count)
    channels = read.shape(value)[1]
    weights = np.full((channels, 1, *kernel), 1 / math.prod(kernel), read.dtype(value))
    return b.op("Conv", value, weights, group=channels, kernel_shape=kernel, pads=pads, strides=strides)


RULE = Rule(
    code="average-pool-padded",
    title="Average pooling of padded windows becomes a convolution of each channel",
    ops=("AveragePool",),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    answers=("wrong-numbers",),
    rewrite=rewrite,
    before=Example("F.avg_pool1d(x, 5, stride=1, padding=2)", {"x": "float32[1,4,64]"}),
    after="F.conv1d(x, torch.full((4, 1, 5), 1 / 5), padding=2, groups=4)",
    negative=Example("F.avg_pool1d(x, 5, stride=1, padding=2, count_include_pad=False)", {"x": "float32[1,4,64]"}),
    more=(
        Example("F.avg_pool2d(x, 2, 2, 1)", {"x": "float32[1,4,16,16]"}),
        Example("F.avg_pool2d(x, (1, 5), 1, (0, 2))", {"x": "float32[2,4,16,16]"}),
        Example("F.avg_pool2d(x, 7, 1, 3)", {"x": "float32[1,4,16,16]"}),
        Example("F.avg_pool1d(F.pad(x, (2, 2)), 5, 1)", {"x": "float32[1,4,64]"}),
    ),
)
