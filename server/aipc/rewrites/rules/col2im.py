"""Fold (Col2Im) as a transposed convolution with a fixed kernel."""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    value = read.required(node, 0)
    image = read.require_constant(read.argument(node, 1), "the image's shape").tolist()
    block = read.require_constant(read.argument(node, 2), "the block's shape").tolist()
    count = len(image)
    strides = read.ints(node, "strides", [1] * count)
    pads = read.ints(node, "pads", [0] * 2 * count)
    dilations = read.ints(node, "dilations", [1] * count)
    batch, rows, _ = read.shape(value)
    patch = math.prod(block)
    channels = rows // patch
    # The NPU has no dilation here: the kernel is widened by zeros.
    reach = [(size - 1) * step + 1 for size, step in zip(block, dilations, strict=True)]
    free = [image[axis] + pads[axis] + pads[axis + count] - reach[axis] for axis in range(count)]
    steps = [free[axis] // strides[axis] + 1 for axis in range(count)]
    rest = [free[axis] - (steps[axis] - 1) * strides[axis] for axis in range(count)]
    # One kernel for each place in the block: it copies an element there.
    kernel = np.zeros((patch, 1, *reach))
    kernel[(slice(None), slice(None), *(slice(None, None, step) for step in dilations))] = np.eye(patch).reshape(
        patch, 1, *block
    )
    kernel = np.tile(kernel, (channels, *(1 for _ in range(count + 1)))).astype(read.dtype(value))
    return b.op(
        "ConvTranspose",
        b.reshape(value, [batch, rows, *steps]),
        kernel,
        group=channels,
        kernel_shape=reach,
        strides=strides,
        pads=pads,
        output_padding=rest,
    )


RULE = Rule(
    code="col2im",
    title="Fold becomes a transposed convolution that copies every element to its place",
    ops=("Col2Im",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("unsupported-operator",),
    rewrite=rewrite,
    before=Example("F.fold(x, (8, 8), 2, stride=2)", {"x": "float32[1,8,16]"}),
    after="F.conv_transpose2d(x.unflatten(2, (4, 4)), torch.eye(4).reshape(4, 1, 2, 2).repeat(2, 1, 1, 1), "
    "stride=2, groups=2)",
    negative=Example("F.conv_transpose2d(x, torch.ones(2, 1, 2, 2))", {"x": "float32[1,2,8,8]"}),
    more=(
        Example("F.fold(x, (8, 8), 3, padding=1)", {"x": "float32[2,18,64]"}),
        Example("F.fold(x, (8, 9), 2, dilation=2, stride=(1, 2))", {"x": "float32[1,8,24]"}),
    ),
)
