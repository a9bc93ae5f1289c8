"""Deformable convolution, as gathered neighbours of every sampled place and one matrix product."""

from __future__ import annotations

import itertools
import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule

_MAX_BATCH = 8
_MAX_SIDE = 2048
"""Places are counted in fp16, which holds integers up to here."""


def _neighbours(b: Builder, offset: ir.Value, base: np.ndarray, size: int) -> list[tuple[ir.Value, ir.Value]]:
    """(index as a float inside the axis, weight) of both neighbours on one axis.

    The offset alone is split in integer and fraction: beside the place, fp16 would leave few digits for the fraction.
    """
    whole = b.op("Floor", offset)
    part = b.op("Sub", offset, whole)
    first = b.op("Add", whole, base.astype(read.dtype(offset)))
    neighbours = []
    for step, weight in ((0.0, b.op("Add", b.op("Neg", part), 1.0)), (1.0, part)):
        index = b.op("Add", first, step) if step else first
        inside = b.op("Min", b.op("Max", index, 0.0), size - 1.0)
        valid = b.cast(b.op("Equal", inside, index), read.dtype(offset))
        neighbours.append((inside, b.op("Mul", weight, valid)))
    return neighbours


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    data, weight, offset = (read.required(node, place) for place in range(3))
    bias, mask = read.argument(node, 3), read.argument(node, 4)
    sizes, kernel, result = read.shape(data), read.shape(weight), read.shape(node.outputs[0])
    if len(sizes) != 4 or sizes[0] > _MAX_BATCH or max(sizes[2:]) > _MAX_SIDE:
        raise NoMatch("more than eight pictures, or a picture with a side of more than 2048")
    batch, channels, height, width = sizes
    points, places = math.prod(result[2:]), math.prod(kernel[2:])
    strides, dilations = read.ints(node, "strides", [1, 1]), read.ints(node, "dilations", [1, 1])
    pads = read.ints(node, "pads", [0] * 4)
    groups = node.attributes.get_int("group", 1)
    parts = node.attributes.get_int("offset_group", 1)
    own = channels // parts
    # Where each kernel element lies without its offset, [kernel elements * output places] for either axis.
    rows, columns = (
        np.arange(kernel[axis + 2])[:, None] * dilations[axis]
        + np.arange(result[axis + 2])[None] * strides[axis]
        - pads[axis]
        for axis in (0, 1)
    )
    shape = (*kernel[2:], *result[2:])
    base_row = np.broadcast_to(rows[:, None, :, None], shape).reshape(-1, 1)
    base_column = np.broadcast_to(columns[None, :, None, :], shape).reshape(-1, 1)
    shifts = b.reshape(offset, [batch * parts, places, 2, points])
    products = []
    for item in range(batch):
        sampled = []
        for part in range(parts):
            number = item * parts + part
            mine = b.slice(shifts, 0, number, number + 1)
            row, column = (b.reshape(b.slice(mine, 2, axis, axis + 1), [places * points, 1]) for axis in (0, 1))
            table = b.slice(b.slice(data, 0, item, item + 1), 1, part * own, (part + 1) * own)
            table = b.transpose(b.reshape(table, [own, height * width]), [1, 0])
            total = None
            for (up, above), (left, beside) in itertools.product(
                _neighbours(b, row, base_row, height), _neighbours(b, column, base_column, width)
            ):
                index = b.op("Add", b.op("Mul", b.cast(up, np.int32), width), b.cast(left, np.int32))
                value = b.op("Gather", table, b.reshape(index, [places * points]), axis=0)
                value = b.op("Mul", value, b.op("Mul", above, beside))
                total = value if total is None else b.op("Add", total, value)
            assert total is not None
            if mask is not None:
                factors = b.reshape(mask, [batch * parts, places * points, 1])
                factors = b.reshape(b.slice(factors, 0, number, number + 1), [places * points, 1])
                total = b.op("Mul", total, factors)
            sampled.append(b.reshape(total, [places, points, own]))
        columns_of = b.transpose(b.concat(sampled, 2), [1, 0, 2])
        products.append(_product(b, columns_of, weight, groups))
    whole = b.concat(products, 0)
    if bias is not None:
        whole = b.op("Add", whole, bias)
    whole = b.transpose(b.reshape(whole, [batch, points, kernel[0]]), [0, 2, 1])
    return b.reshape(whole, result)


def _product(b: Builder, columns: ir.Value, weight: ir.Value, groups: int) -> ir.Value:
    """[points, kernel elements, channels] with the kernel: [points, output channels]."""
    points, places, _ = read.shape(columns)
    out, own, *_ = read.shape(weight)
    each = out // groups
    products = []
    for group in range(groups):
        mine = b.reshape(b.slice(columns, 2, group * own, (group + 1) * own), [points, places * own])
        kernel = b.slice(weight, 0, group * each, (group + 1) * each)
        kernel = b.reshape(b.transpose(kernel, [2, 3, 1, 0]), [places * own, each])
        products.append(b.op("MatMul", mine, kernel))
    return b.concat(products, 1)


_SAMPLED = "__import__('torchvision').ops.deform_conv2d"

RULE = Rule(
    code="deform-conv",
    title="A deformable convolution becomes gathered neighbours of every sampled place and a matrix product",
    ops=("DeformConv",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example(
        f"{_SAMPLED}(x, o, torch.ones(2, 3, 1, 1))",
        {"x": "float32[1,3,4,5]", "o": "torch.ones(1, 2, 4, 5)"},
    ),
    after="F.pad(x[:, :, 1:, 1:], (0, 1, 0, 1)).sum(1, keepdim=True).expand(1, 2, 4, 5)",
    negative=Example("F.conv2d(x, torch.ones(2, 3, 3, 3))", {"x": "float32[1,3,6,7]"}),
    more=(
        Example(
            f"{_SAMPLED}(x, o, torch.ones(4, 3, 3, 3) / 27, torch.arange(4.0), stride=2, padding=1)",
            {"x": "float32[1,3,7,8]", "o": "torch.rand(1, 18, 4, 4) * 3 - 1.5"},
        ),
        Example(
            f"{_SAMPLED}(x, o, torch.ones(4, 2, 3, 3) / 18, padding=2, dilation=2, mask=m)",
            {
                "x": "float32[2,4,6,7]",
                "o": "torch.rand(2, 36, 6, 7) * 2 - 1",
                "m": "torch.rand(2, 18, 6, 7)",
            },
        ),
    ),
)
