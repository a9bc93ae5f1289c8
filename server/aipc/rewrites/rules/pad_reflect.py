"""Reflect padding as slices and a concatenation."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule
from ._padding import pad_by_parts


def _reversed(b: Builder, value: ir.Value, axis: int, indices: list[int]) -> ir.Value:
    return b.concat([b.slice(value, axis, index, index + 1) for index in indices], axis)


def _before(b: Builder, value: ir.Value, axis: int, count: int) -> ir.Value:
    return _reversed(b, value, axis, list(range(count, 0, -1)))


def _after(b: Builder, value: ir.Value, axis: int, count: int) -> ir.Value:
    last = read.shape(value)[axis] - 1
    return _reversed(b, value, axis, [last - step for step in range(1, count + 1)])


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    return pad_by_parts(node, b, "reflect", _before, _after)


RULE = Rule(
    code="pad-reflect",
    title="Reflect padding becomes slices in reverse order and a concatenation",
    ops=("Pad",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("pad-mode", "rank", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example('F.pad(x, (1, 2, 0, 0, 0, 0), mode="reflect")', {"x": "float32[1,2,4,5,8]"}),
    after="torch.cat([x[..., 1:2], x, x[..., -2:-1], x[..., -3:-2]], dim=-1)",
    negative=Example("F.pad(x, (1, 2))", {"x": "float32[1,2,8]"}),
    more=(Example('F.pad(x, (1, 2, 1, 1, 0, 1), mode="reflect")', {"x": "float32[1,2,4,5,6]"}),),
)
