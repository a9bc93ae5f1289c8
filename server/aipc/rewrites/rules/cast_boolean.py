"""A cast of booleans to an integer that the NPU does not cast them to."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    wanted = read.dtype(node.outputs[0])
    if read.dtype(x).kind != "b" or wanted.kind not in "iu" or wanted == np.int32:
        raise NoMatch("it is no cast of booleans to an integer other than int32")
    return b.cast(b.cast(x, np.int32), wanted)


RULE = Rule(
    code="cast-boolean",
    title="A cast of booleans to a wide integer goes through a narrower one, which the NPU has",
    ops=("Cast",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("(x > 0).long()", {"x": "float32[2,8]"}),
    after="(x > 0).int().long()",
    negative=Example("(x > 0).float()", {"x": "float32[2,8]"}),
    more=(Example("F.one_hot(x, 10)", {"x": "torch.arange(8) % 10"}),),
)
