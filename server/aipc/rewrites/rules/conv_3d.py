"""Convolution of volumes, as two-dimensional convolutions of planes that are summed."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_MAX_DEPTH = 16


def _planes(b: Builder, value: ir.Value, steps: range) -> ir.Value:
    """Planes of [batch, depth, channels, height, width], as [batch * planes, channels, height, width]."""
    chosen = b.slice(value, 1, steps[0], steps[-1] + 1, steps.step)
    sizes = read.shape(chosen)
    return b.reshape(chosen, [sizes[0] * sizes[1], *sizes[2:]])


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value, weight = read.required(node, 0), read.required(node, 1)
    sizes, kernel, result = read.shape(value), read.shape(weight), read.shape(node.outputs[0])
    if len(sizes) != 5:
        raise NoMatch("it is no convolution of volumes")
    if kernel[2] > _MAX_DEPTH:
        raise NoMatch(f"its kernel is deeper than {_MAX_DEPTH} planes")
    strides, dilations = read.ints(node, "strides", [1] * 3), read.ints(node, "dilations", [1] * 3)
    pads = read.ints(node, "pads", [0] * 6)
    if node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise NoMatch("padding that depends on the size (auto_pad)")
    batch, channels, _, height, width = sizes
    planes = b.transpose(value, [0, 2, 1, 3, 4])
    zeros = [np.zeros((batch, count, channels, height, width), read.dtype(value)) for count in (pads[0], pads[3])]
    parts = [b.constant(zeros[0]) if pads[0] else None, planes, b.constant(zeros[1]) if pads[3] else None]
    planes = b.concat([item for item in parts if item is not None], 1)
    total = None
    for step in range(kernel[2]):
        start = step * dilations[0]
        slices = _planes(b, planes, range(start, start + (result[2] - 1) * strides[0] + 1, strides[0]))
        mine = b.reshape(b.slice(weight, 2, step, step + 1), [*kernel[:2], *kernel[3:]])
        product = b.op(
            "Conv",
            slices,
            mine,
            group=node.attributes.get_int("group", 1),
            kernel_shape=list(kernel[3:]),
            strides=strides[1:],
            dilations=dilations[1:],
            pads=[*pads[1:3], *pads[4:]],
        )
        total = product if total is None else b.op("Add", total, product)
    assert total is not None
    bias = read.argument(node, 2)
    if bias is not None:
        total = b.op("Add", total, b.reshape(bias, [1, math.prod(read.shape(bias)), 1, 1]))
    whole = b.reshape(total, [batch, result[2], result[1], *result[3:]])
    return b.transpose(whole, [0, 2, 1, 3, 4])


RULE = Rule(
    code="conv-3d",
    title="A convolution of volumes becomes convolutions of planes that are summed",
    ops=("Conv",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    answers=("layout-abort", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("nn.Conv3d(2, 4, (2, 1, 1), dilation=2)", {"x": "float32[1,2,4,4,5]"}),
    after="""\
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv3d(2, 4, (2, 1, 1), dilation=2)

    def forward(self, x):
        near, far = self.convolution.weight.unbind(2)
        planes = x.transpose(1, 2)[0]
        made = F.conv2d(planes[:-2], near, self.convolution.bias) + F.conv2d(planes[2:], far)
        return made.transpose(0, 1)[None]
""",
    negative=Example("nn.Conv2d(2, 4, 3)", {"x": "float32[1,2,8,8]"}),
    more=(
        Example("nn.Conv3d(4, 6, 3, stride=2, padding=2, dilation=2, bias=False)", {"x": "float32[1,4,5,7,9]"}),
        Example("nn.Conv3d(4, 6, 3, padding=2, dilation=2)", {"x": "float32[2,4,5,7,9]"}),
        Example("nn.Conv3d(4, 4, (1, 3, 3), padding=(0, 2, 2), groups=4, dilation=2)", {"x": "float32[1,4,5,7,9]"}),
        Example("F.conv3d(x, w, padding=2, dilation=2)", {"x": "float32[1,2,4,5,6]", "w": "float32[3,2,3,3,3]"}),
    ),
)
