"""A cast of bytes to floating point, which the NPU takes for one of booleans."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    if read.dtype(x) != np.uint8 or read.dtype(node.outputs[0]) != np.float32:
        raise NoMatch("it is no cast of bytes to float32")
    return b.cast(b.cast(x, np.int32), np.float32)


RULE = Rule(
    code="cast-bytes",
    title="A cast of bytes to floating point, which the NPU makes zeros and ones of, goes through int32",
    ops=("Cast",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    answers=("wrong-numbers",),
    rewrite=rewrite,
    before=Example("x.float() / 255", {"x": "torch.arange(96, dtype=torch.uint8).reshape(1, 3, 4, 8)"}),
    after="x.int().float() / 255",
    negative=Example("x.float() / 255", {"x": "torch.arange(96, dtype=torch.int32).reshape(1, 3, 4, 8)"}),
    more=(Example("x.to(torch.uint8).float()", {"x": "torch.linspace(0, 200, 96).reshape(2, 48)"}),),
)
