"""What the rules on padding share."""

from __future__ import annotations

import ast
from collections.abc import Callable

import onnx_ir as ir

from aipc.core.types import Finding

from .. import graph as read
from ..build import Builder
from ..rule import Edit, NoMatch
from ..source import argument, called, is_simple, literal, replace, text_of, torch_name

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


Ends = Callable[[str, int, int, int], tuple[list[str], list[str]]]


def concatenated(call: ast.Call, source: str, finding: Finding, mode: str, ends: Ends) -> list[Edit] | None:
    """``F.pad`` along one axis as ``torch.cat``.

    Args:
        ends: (text of the tensor, axis from the end, count before, count after) -> the pieces on either side.
    """
    value, pads = argument(call, 0, "input"), literal(argument(call, 1, "pad"))
    if called(call) != "pad" or literal(argument(call, 2, "mode")) != mode or value is None or not is_simple(value):
        return None
    if not isinstance(pads, (tuple, list)) or not all(isinstance(item, int) and item >= 0 for item in pads):
        return None
    padded = [axis for axis in range(len(pads) // 2) if pads[2 * axis] or pads[2 * axis + 1]]
    if not padded:
        return None
    name = text_of(value, source)
    torch, edits = torch_name(source, finding)
    text = name
    for axis in padded:
        if text != name:
            return None  # a second axis would repeat the first one's expression
        before, after = ends(name, axis + 1, pads[2 * axis], pads[2 * axis + 1])
        text = f"{torch}.cat([{', '.join([*before, name, *after])}], dim=-{axis + 1})"
    return [*edits, replace(call, text, source, finding)]


def window(name: str, axis: int, text: str) -> str:
    """``name`` indexed by ``text`` on the axis that is ``axis``-th from the end."""
    return f"{name}[..., {text}{', :' * (axis - 1)}]"
