"""Replicate padding as expanded edges and a concatenation."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule
from ..site import Site
from ._padding import concatenated, pad_by_parts, window


def _repeat(b: Builder, value: ir.Value, axis: int, index: int, count: int) -> ir.Value:
    edge = b.slice(value, axis, index, index + 1)
    sizes = list(read.shape(value))
    sizes[axis] = count
    return b.expand(edge, sizes)


def _first(b: Builder, value: ir.Value, axis: int, count: int) -> ir.Value:
    return _repeat(b, value, axis, 0, count)


def _last(b: Builder, value: ir.Value, axis: int, count: int) -> ir.Value:
    return _repeat(b, value, axis, read.shape(value)[axis] - 1, count)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    return pad_by_parts(node, b, "edge", _first, _last)


def _ends(name: str, axis: int, low: int, high: int) -> tuple[list[str], list[str]]:
    return [window(name, axis, ":1")] * low, [window(name, axis, "-1:")] * high


def source_edit(site: Site) -> str | None:
    """Padding as a concatenation, axis after axis."""
    return concatenated(site, "replicate", _ends, names="ReplicationPad1d ReplicationPad2d ReplicationPad3d")


RULE = Rule(
    code="pad-replicate",
    title="Replicate padding becomes expanded edges and a concatenation",
    ops=("Pad",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    answers=("pad-mode", "wrong-numbers", "rank"),
    rewrite=rewrite,
    source_edit=source_edit,
    before=Example('F.pad(x, (1, 2), mode="replicate")', {"x": "float32[1,2,8]"}),
    after="torch.cat([x[..., :1], x, x[..., -1:], x[..., -1:]], dim=-1)",
    negative=Example("F.pad(x, (1, 2), value=1.5)", {"x": "float32[1,2,8]"}),
    more=(
        Example('F.pad(x, (1, 2, 3, 1), mode="replicate")', {"x": "float32[1,2,8,8]"}),
        Example('F.pad(x, (1, 2, 1, 1, 0, 1), mode="replicate")', {"x": "float32[1,2,4,8,8]"}),
    ),
)
