"""A transpose of bytes, which HTP has for quantized numbers only."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    dtype = read.dtype(x)
    if dtype not in (np.uint8, np.int8):
        raise NoMatch("the NPU transposes all types but bytes")
    return b.cast(b.transpose(b.cast(x, np.int32), read.ints(node, "perm")), dtype)


RULE = Rule(
    code="transpose-bytes",
    title="A transpose of bytes goes through int32",
    ops=("Transpose",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("x.permute(0, 2, 3, 1)", {"x": "torch.arange(96, dtype=torch.uint8).reshape(1, 3, 4, 8)"}),
    after="x.int().permute(0, 2, 3, 1).to(torch.uint8)",
    negative=Example("x.permute(0, 2, 3, 1) + 1", {"x": "float32[1,3,4,8]"}),
)
