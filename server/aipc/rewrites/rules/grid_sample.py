"""Sampling of volumes, and bicubic sampling, as weighted sums of gathered neighbours."""

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
_CUBIC = -0.75


def _clipped(b: Builder, place: ir.Value, size: int) -> ir.Value:
    return b.op("Min", b.op("Max", place, 0.0), size - 1.0)


def _cubic_weights(b: Builder, t: ir.Value) -> list[ir.Value]:
    """Weights of the neighbours at -1, 0, 1 and 2, by the kernel with a = -0.75."""

    def near(x: ir.Value) -> ir.Value:
        inner = b.op("Sub", b.op("Mul", x, _CUBIC + 2), _CUBIC + 3)
        return b.op("Add", b.op("Mul", b.op("Mul", inner, x), x), 1.0)

    def far(x: ir.Value) -> ir.Value:
        inner = b.op("Add", b.op("Mul", b.op("Sub", b.op("Mul", x, _CUBIC), 5 * _CUBIC), x), 8 * _CUBIC)
        return b.op("Sub", b.op("Mul", inner, x), 4 * _CUBIC)

    back = b.op("Add", b.op("Neg", t), 1.0)
    return [far(b.op("Add", t, 1.0)), near(t), near(back), far(b.op("Add", back, 1.0))]


def _neighbours(
    b: Builder, place: ir.Value, size: int, mode: str, padding: str
) -> list[tuple[ir.Value, ir.Value | None]]:
    """(index as a float inside the axis, weight or None for one) of every neighbour on one axis."""
    if mode != "cubic" and padding == "border":
        place = _clipped(b, place, size)
    if mode == "nearest":
        neighbours: list[tuple[ir.Value, ir.Value | None]] = [(b.op("Round", place), None)]
    else:
        base = b.op("Floor", place)
        part = b.op("Sub", place, base)
        if mode == "linear":
            weights, steps = [b.op("Add", b.op("Neg", part), 1.0), part], range(2)
        else:
            weights, steps = _cubic_weights(b, part), range(-1, 3)
        neighbours = [(b.op("Add", base, float(step)), weight) for step, weight in zip(steps, weights, strict=True)]
    result: list[tuple[ir.Value, ir.Value | None]] = []
    for index, weight in neighbours:
        inside = _clipped(b, index, size)
        if padding == "zeros":
            valid = b.cast(b.op("Equal", inside, index), read.dtype(index))
            weight = valid if weight is None else b.op("Mul", weight, valid)
        result.append((inside, weight))
    return result


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    data, grid = read.required(node, 0), read.required(node, 1)
    batch, channels, *volume = read.shape(data)
    mode = {"bilinear": "linear", "bicubic": "cubic"}.get(
        node.attributes.get_string("mode", "linear"), node.attributes.get_string("mode", "linear")
    )
    padding = node.attributes.get_string("padding_mode", "zeros")
    corners = bool(node.attributes.get_int("align_corners", 0))
    if len(volume) == 2 and mode != "cubic":
        raise NoMatch("the NPU takes two-dimensional sampling of this mode as it is")
    if padding == "reflection":
        raise NoMatch("reflection of far coordinates is beyond the precision of fp16")
    if batch > _MAX_BATCH or math.prod(volume) >= 1 << 24:
        raise NoMatch("a batch of more than 8 or a very large volume")
    target = read.shape(grid)[1:-1]
    points = math.prod(target)
    flat = b.reshape(grid, [batch * points, len(volume)])
    axes = []
    for axis, size in enumerate(volume):
        # The grid's last axis counts from the innermost axis of the data.
        column = b.slice(flat, 1, len(volume) - 1 - axis, len(volume) - axis)
        shifted = b.op("Add", column, 1.0)
        if corners:
            place = b.op("Mul", b.op("Mul", shifted, 0.5), size - 1.0)
        else:
            place = b.op("Mul", b.op("Sub", b.op("Mul", shifted, float(size)), 1.0), 0.5)
        axes.append(_neighbours(b, place, size, mode, padding))
    rows = [
        b.transpose(b.reshape(b.slice(data, 0, item, item + 1), [channels, math.prod(volume)]), [1, 0])
        for item in range(batch)
    ]
    total = None
    for corner in itertools.product(*axes):
        index: ir.Value | None = None
        weight: ir.Value | None = None
        for size, (place, own) in zip(volume, corner, strict=True):
            whole = b.cast(place, np.int32)
            index = whole if index is None else b.op("Add", b.op("Mul", index, size), whole)
            weight = own if weight is None else weight if own is None else b.op("Mul", weight, own)
        assert index is not None
        parts = []
        for item in range(batch):
            mine = b.reshape(b.slice(index, 0, item * points, (item + 1) * points), [points])
            parts.append(b.op("Gather", rows[item], mine, axis=0))
        values = b.concat(parts, 0)
        if weight is not None:
            values = b.op("Mul", values, weight)
        total = values if total is None else b.op("Add", total, values)
    assert total is not None
    return b.reshape(b.transpose(b.reshape(total, [batch, points, channels]), [0, 2, 1]), [batch, channels, *target])


_VOLUME = {"x": "float32[1,2,4,6,8]", "grid": "torch.rand(1, 3, 4, 5, 3) * 2.2 - 1.1"}
_IMAGE = {"x": "float32[2,2,8,8]", "grid": "torch.rand(2, 6, 7, 2) * 2.2 - 1.1"}

RULE = Rule(
    code="grid-sample",
    title="Sampling a volume, or bicubic sampling, becomes a weighted sum of gathered neighbours",
    ops=("GridSample",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.ROUNDING,
    excludes=NonFinite.ANY,
    answers=("layout-abort", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example(
        'torch.relu(F.grid_sample(x, grid, mode="nearest", padding_mode="border", align_corners=True))', _VOLUME
    ),
    after="""\\
class Model(nn.Module):
    def forward(self, x, grid):
        sizes = torch.tensor([7.0, 5.0, 3.0])  # of the last axis first
        column, row, plane = torch.round((grid + 1) / 2 * sizes).clamp(min=0).minimum(sizes).long().unbind(-1)
        return torch.relu(x.flatten(2)[:, :, ((plane * 6 + row) * 8 + column)[0].flatten()].reshape(1, 2, 3, 4, 5))
""",
    negative=Example("F.grid_sample(x, grid, align_corners=False)", _IMAGE),
    more=(
        Example("torch.relu(F.grid_sample(x, grid, align_corners=False))", _VOLUME),
        Example('torch.relu(F.grid_sample(x, grid, padding_mode="border", align_corners=True))', _VOLUME),
        Example('F.grid_sample(x, grid, mode="bicubic", align_corners=False)', _IMAGE),
        Example('F.grid_sample(x, grid, mode="bicubic", padding_mode="border", align_corners=True)', _IMAGE),
    ),
)
