"""What the rules on padding share."""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..rule import NoMatch

Side = Callable[[Builder, ir.Value, int, int], ir.Value]


def pad_by_parts(node: ir.Node, b: Builder, mode: str, before: Side, after: Side) -> ir.Value:
    """Pad axis after axis: ``before`` and ``after`` make what stands on either side of the tensor.

    Args:
        before, after: (builder, tensor, axis, count) -> tensor with ``count`` elements on ``axis``.
    """
    if node.attributes.get_string("mode", "constant") != mode:
        raise NoMatch(f"the padding is not of the mode {mode}")
    value = read.required(node, 0)
    rank = read.rank(value)
    pads = read.require_constant(read.argument(node, 1), "the padding").tolist()
    axes = read.argument(node, 3)
    chosen = range(rank) if axes is None else [axis % rank for axis in read.require_constant(axes, "the axes").tolist()]
    for number, axis in enumerate(chosen):
        low, high = pads[number], pads[number + len(pads) // 2]
        size = read.shape(value)[axis]
        if low < 0 or high < 0:
            value = b.slice(value, axis, max(0, -low), size - max(0, -high))
        low, high = max(0, low), max(0, high)
        parts = [value]
        if low:
            parts.insert(0, before(b, value, axis, low))
        if high:
            parts.append(after(b, value, axis, high))
        value = b.concat(parts, axis)
    return value
