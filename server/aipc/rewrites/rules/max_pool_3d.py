"""Max pooling over volumes, and with dilation, as two-dimensional pooling and maxima of slices."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule
from ..site import NoEdit, Site

Pair = tuple[int, ...]


def _pool_axis(b: Builder, value: ir.Value, axis: int, windows: list[list[int]]) -> ir.Value:
    """The maximum over each window, a list of indices on ``axis``. The NPU takes Max up to rank 4."""
    shape = read.shape(value)
    size = shape[axis]
    value = b.reshape(value, [math.prod(shape[:axis]), size, math.prod(shape[axis + 1 :])])
    parts = []
    for offset in range(len(windows[0])):
        # Outside the tensor another member of the same window stands in: a maximum does not count.
        indices = []
        for window in windows:
            inside = [index for index in window if 0 <= index < size]
            if not inside:
                raise NoMatch("a window lies outside the tensor")
            indices.append(window[offset] if 0 <= window[offset] < size else inside[0])
        parts.append(_take(b, value, 1, indices))
    result = parts[0]
    for part in parts[1:]:
        result = b.op("Max", result, part)
    return b.reshape(result, [*shape[:axis], len(windows), *shape[axis + 1 :]])


def _take(b: Builder, value: ir.Value, axis: int, indices: list[int]) -> ir.Value:
    steps = {after - before for before, after in itertools.pairwise(indices)} or {1}
    if len(steps) == 1 and (step := steps.pop()) > 0:
        return b.slice(value, axis, indices[0], indices[-1] + 1, step)
    return b.gather(value, np.asarray(indices), axis)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    if len(node.outputs) > 1:
        raise NoMatch("the indices are used too")
    value = read.required(node, 0)
    sizes, result = read.shape(value), read.shape(node.outputs[0])
    count = len(sizes) - 2
    kernel = read.ints(node, "kernel_shape")
    strides = read.ints(node, "strides", [1] * count)
    dilations = read.ints(node, "dilations", [1] * count)
    pads = read.ints(node, "pads", [0] * 2 * count)
    if node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise NoMatch("padding that depends on the size (auto_pad)")
    if count < 3 and all(item == 1 for item in dilations):
        raise NoMatch("the NPU takes max pooling of this rank as it is")
    dilated = any(item != 1 for item in dilations)
    separate = range(count) if dilated else range(count - 2)
    if not dilated:
        batch, channels, *volume = sizes
        flat = b.reshape(value, [batch, channels * math.prod(volume[:-2]), *volume[-2:]])
        if (kernel[-2], kernel[-1], strides[-2], strides[-1]) != (1, 1, 1, 1):
            flat = b.op(
                "MaxPool",
                flat,
                kernel_shape=list(kernel[-2:]),
                strides=list(strides[-2:]),
                pads=[*pads[count - 2 : count], *pads[-2:]],
                ceil_mode=node.attributes.get_int("ceil_mode", 0),
            )
        value = b.reshape(flat, [batch, channels, *volume[:-2], *result[-2:]])
    for axis in separate:
        windows = [
            [start * strides[axis] - pads[axis] + step * dilations[axis] for step in range(kernel[axis])]
            for start in range(result[axis + 2])
        ]
        value = _pool_axis(b, value, axis + 2, windows)
    return value


def source_edit(site: Site) -> str | None:
    """``F.max_pool3d`` as ``F.max_pool2d`` over the planes and then over the depth."""
    window = "kernel_size stride padding dilation"
    operation = site.operation(
        "max_pool3d",
        f"input {window} ceil_mode return_indices",
        homes="torch torch.nn.functional",
        module=f"MaxPool3d {window} return_indices ceil_mode",
    )
    if operation is None or operation.value("return_indices", False):
        return None
    kernel = _three(operation.value("kernel_size"))
    stride = _three(operation.value("stride") or kernel)
    padding, dilation = _three(operation.value("padding", 0)), _three(operation.value("dilation", 1))
    ceil = operation.value("ceil_mode", False)
    value, pool = operation.operands[0], f"{site.functional()}.max_pool2d"
    if kernel[0] == 1 and padding[0] == 0 and not (ceil and stride[0] > 1) and stride[0] > 1:
        x = site.assigned(f"{site.operand(value)}[:, :, ::{stride[0]}]", "slices", may_overwrite=True)
    else:
        x = site.repeated(value)
    planes = _window(kernel[1:], stride[1:], padding[1:], dilation[1:], ceil)
    text = f"{pool}({x}.flatten(1, 2), {planes}).unflatten(1, {x}.shape[1:3])"
    if kernel[0] == 1 and padding[0] == 0 and (stride[0] == 1 or x != site.text(value)):
        return text
    depth = _window((kernel[0], 1), (stride[0], 1), (padding[0], 0), (dilation[0], 1), ceil)
    x = site.assigned(text, "planes", may_overwrite=True)
    return f"{pool}({x}.flatten(3), {depth}).unflatten(3, {x}.shape[3:])"


def _window(kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil: bool) -> str:
    """The arguments of a pooling over two axes, without what is the default."""
    parts = [str(_short(kernel))]
    if stride != kernel:
        parts.append(f"stride={_short(stride)}")
    if any(padding):
        parts.append(f"padding={_short(padding)}")
    if dilation != (1, 1):
        parts.append(f"dilation={_short(dilation)}")
    return ", ".join([*parts, *(["ceil_mode=True"] if ceil else [])])


def _three(value: Any) -> tuple[int, ...]:
    """A size as it is given for volumes: one figure for every axis, or three."""
    sizes = (value,) * 3 if isinstance(value, int) else tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(sizes) != 3:
        raise NoEdit("the sizes of the window are not told")
    return sizes


def _short(sizes: Pair) -> int | Pair:
    return sizes[0] if len(set(sizes)) == 1 else sizes


RULE = Rule(
    code="max-pool-3d",
    title="Max pooling over volumes becomes MaxPool over height and width and a maximum of slices over depth",
    ops=("MaxPool",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    excludes=NonFinite.ANY,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example("F.max_pool3d(x, (1, 3, 3), stride=(2, 1, 2))", {"x": "float32[1,1,8,9,9]"}),
    after="F.max_pool2d(x[:, :, ::2].flatten(1, 2), 3, stride=(1, 2)).unflatten(1, (1, 4))",
    negative=Example("F.max_pool2d(x, 3)", {"x": "float32[1,2,8,8]"}),
    more=(
        Example("F.max_pool3d(x, 3, stride=2, padding=1)", {"x": "float32[1,2,6,8,8]"}),
        Example("F.max_pool3d(x, 3, stride=2, padding=1, ceil_mode=True)", {"x": "float32[1,2,6,8,10]"}),
        Example("F.max_pool3d(x, (2, 1, 1))", {"x": "float32[2,3,6,4,5]"}),
        Example("F.max_pool2d(x, 3, stride=1, padding=1, dilation=2)", {"x": "float32[1,2,9,10]"}),
        Example("F.max_pool3d(x, 2, stride=1, dilation=(2, 1, 2))", {"x": "float32[1,2,5,6,7]"}),
    ),
)
