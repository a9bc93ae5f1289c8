"""Average pooling with padding, as a linear map along each axis."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ._matrix import along_axis


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    sizes, result = read.shape(value), read.shape(node.outputs[0])
    count = len(sizes) - 2
    pads = read.ints(node, "pads", [0] * 2 * count)
    strides = read.ints(node, "strides", [1] * count)
    dilations = read.ints(node, "dilations", [1] * count)
    kernel = read.ints(node, "kernel_shape")
    ceil = bool(node.attributes.get_int("ceil_mode", 0))
    include = bool(node.attributes.get_int("count_include_pad", 0))
    if node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise NoMatch("padding that depends on the size (auto_pad)")
    if not ((count == 3 and include and any(pads)) or ceil or any(item != 1 for item in dilations)):
        raise NoMatch("the NPU computes average pooling of this form rightly")
    for place in range(count):
        axis, size = place + 2, sizes[place + 2]
        weights = np.zeros((result[axis], size))
        for start in range(result[axis]):
            window = [start * strides[place] - pads[place] + step * dilations[place] for step in range(kernel[place])]
            inside = [index for index in window if 0 <= index < size]
            counted = [index for index in window if -pads[place] <= index < size + pads[place + count]]
            weights[start, inside] = 1 / len(counted if include else inside)
        if weights.shape != (1, 1):
            value = along_axis(b, value, axis, weights)
    return value


RULE = Rule(
    code="average-pool",
    title="Average pooling of padded volumes, or with a size rounded up, becomes a linear map along each axis",
    ops=("AveragePool",),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("wrong-numbers", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("F.avg_pool3d(x, 3, stride=3, padding=1)", {"x": "float32[1,2,3,3,3]"}),
    after="x[:, :, :2, :2, :2].sum((2, 3, 4), keepdim=True) / 27",
    negative=Example("F.avg_pool3d(x, 2)", {"x": "float32[1,2,6,8,8]"}),
    more=(
        Example("F.avg_pool3d(x, 3, stride=2, padding=1)", {"x": "float32[1,2,6,8,8]"}),
        Example("F.avg_pool2d(x, 3, 2, 1, ceil_mode=True)", {"x": "float32[1,2,8,10]"}),
        Example("F.avg_pool2d(x, 3, 2, ceil_mode=True, count_include_pad=False)", {"x": "float32[1,2,8,10]"}),
    ),
)
