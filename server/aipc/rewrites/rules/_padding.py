"""What the rules on padding share."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..rule import NoMatch
from ..site import Site, is_simple

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


def concatenated(site: Site, mode: str, ends: Ends, *, names: str) -> str | None:
    """``F.pad`` as ``torch.cat``, axis after axis.

    Args:
        ends: (text of the tensor, axis from the end, count before, count after) -> the pieces on either side.
        names: classes of ``torch.nn`` that pad in this mode, by the number of axes.
    """
    operation = _padding(site, mode, names)
    if operation is None:
        return None
    value, pads = operation
    if not all(isinstance(item, int) and item >= 0 for item in pads) or len(pads) % 2:
        return None
    padded = [axis for axis in range(len(pads) // 2) if pads[2 * axis] or pads[2 * axis + 1]]
    if not padded:
        return None
    # Only what is assigned last is read, so that the target of the statement itself may hold it.
    name = site.text(value) if is_simple(value) else site.assigned(site.text(value), "padded", may_overwrite=True)
    text = ""
    for axis in padded:
        if text:
            name = site.assigned(text, "padded", may_overwrite=True)
        before, after = ends(name, axis + 1, pads[2 * axis], pads[2 * axis + 1])
        text = f"{site.torch()}.cat([{', '.join([*before, name, *after])}], dim=-{axis + 1})"
    return text


def _padding(site: Site, mode: str, names: str) -> tuple[ast.expr, Sequence[int]] | None:
    """The tensor and how much is added, from the last axis to the first."""
    operation = site.operation("pad", "input pad mode value", homes="torch.nn.functional")
    if operation is not None:
        pads = operation.value("pad")
        if operation.value("mode", "constant") != mode or not isinstance(pads, (tuple, list)):
            return None
        return operation.operands[0], pads
    for axes, name in enumerate(names.split(), 1):
        operation = site.operation("pad", "input", module=f"{name} padding")
        if operation is not None:
            pads = operation.value("padding")
            return operation.operands[0], [pads] * (2 * axes) if isinstance(pads, int) else pads
    return None


def window(name: str, axis: int, text: str) -> str:
    """``name`` indexed by ``text`` on the axis that is ``axis``-th from the end."""
    return f"{name}[..., {text}{', :' * (axis - 1)}]"
