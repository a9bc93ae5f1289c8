"""Circular padding as slices and a concatenation."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule
from ..site import Site
from ._padding import concatenated, pad_by_parts, window


def _end(b: Builder, value: ir.Value, axis: int, count: int) -> ir.Value:
    size = read.shape(value)[axis]
    return b.slice(value, axis, size - count, size)


def _start(b: Builder, value: ir.Value, axis: int, count: int) -> ir.Value:
    return b.slice(value, axis, 0, count)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    return pad_by_parts(node, b, "wrap", _end, _start)


def _ends(name: str, axis: int, low: int, high: int) -> tuple[list[str], list[str]]:
    before = [window(name, axis, f"-{low}:")] if low else []
    return before, [window(name, axis, f":{high}")] if high else []


def source_edit(site: Site) -> str | None:
    """Padding as a concatenation, axis after axis."""
    return concatenated(site, "circular", _ends, names="CircularPad1d CircularPad2d CircularPad3d")


RULE = Rule(
    code="pad-circular",
    title="Circular padding becomes slices of the other end and a concatenation",
    ops=("Pad",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("pad-mode",),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example('F.pad(x, (1, 2, 0, 0), mode="circular")', {"x": "float32[1,2,7,8]"}),
    after="torch.cat([x[..., -1:], x, x[..., :2]], dim=-1)",
    negative=Example("F.pad(x, (1, 2))", {"x": "float32[1,2,7,8]"}),
    more=(
        Example('F.pad(x, (1, 2), mode="circular")', {"x": "float32[1,2,9]"}),
        Example('F.pad(x, (1, 2, 2, 1), mode="circular")', {"x": "float32[1,2,7,8]"}),
        Example('F.pad(x, (1, 0, 2, 1, 1, 1), mode="circular")', {"x": "float32[1,2,4,5,6]"}),
    ),
)
