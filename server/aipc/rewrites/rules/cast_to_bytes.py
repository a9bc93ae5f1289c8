"""A cast to bytes behind a convolution or pooling, behind which QAIRT's provider puts a transpose of bytes.

QNN's convolutions and poolings have the channels last. The provider moves the transpose back to channels first behind
all that is elementwise, also behind a cast to bytes, and HTP has no transpose of plain bytes. A reshape keeps it before
the cast.
"""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x = read.required(node, 0)
    wanted = read.dtype(node.outputs[0])
    if wanted not in (np.uint8, np.int8):
        raise NoMatch("it is no cast to bytes")
    shape = read.shape(x)
    if len(shape) < 3:
        raise NoMatch("there are no axes that a convolution moves")
    maker = x.producer()
    readers = [use.node.op_type for use in node.outputs[0].uses()]
    if maker is not None and maker.op_type == "Reshape" and readers and set(readers) == {"Reshape"}:
        raise NoMatch("it stands between reshapes")
    flat = b.reshape(x, [*shape[:2], math.prod(shape[2:])] if len(shape) > 3 else [1, *shape])
    return b.reshape(b.cast(flat, wanted), shape)


RULE = Rule(
    code="cast-to-bytes",
    title="A cast to bytes behind a convolution stands between reshapes, which keep the layout's transpose before it",
    ops=("Cast",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("(F.avg_pool2d(x.sigmoid(), 2) * 200).to(torch.uint8)", {"x": "float32[1,3,8,8]"}),
    after="(F.avg_pool2d(x.sigmoid(), 2) * 200).flatten(2).to(torch.uint8).unflatten(2, (4, 4))",
    negative=Example("x.float()", {"x": "torch.arange(96, dtype=torch.int32)"}),
)
