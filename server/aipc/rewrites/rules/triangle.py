"""Trilu, as a choice by a constant mask."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    rows, columns = read.shape(x)[-2:]
    offset = read.argument(node, 1)
    diagonal = 0 if offset is None else int(read.require_constant(offset, "the diagonal").item())
    ones = np.ones((rows, columns), np.bool_)
    mask = np.triu(ones, diagonal) if node.attributes.get_int("upper", 1) else np.tril(ones, diagonal)
    return b.op("Where", b.constant(mask), x, b.constant(np.zeros((), read.dtype(x))))


RULE = Rule(
    code="triangle",
    title="Triu and Tril become a Where with a constant mask",
    ops=("Trilu",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("unsupported-operator", "runs-on-cpu"),
    rewrite=rewrite,
    before=Example("torch.triu(x)", {"x": "float32[2,8,8]"}),
    after="torch.where(torch.arange(8)[None] >= torch.arange(8)[:, None], x, 0.0)",
    negative=Example("torch.relu(x)", {"x": "float32[2,3]"}),
    more=(
        Example("torch.tril(x, 1)", {"x": "float32[2,3,5,8]"}),
        Example("torch.triu(x, -1) + 1", {"x": "int32[6,8]"}),
    ),
)
