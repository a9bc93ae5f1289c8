"""Max pooling with indices, as a running maximum that remembers where."""

from __future__ import annotations

import itertools
import math

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, NonFinite, Trigger
from ..rule import Example, NoMatch, Rule

_MAX_WINDOW = 49


def rewrite(node: ir.Node, b: Builder) -> list[ir.Value]:
    if len(node.outputs) < 2:
        raise NoMatch("its indices are not used")
    value = read.required(node, 0)
    sizes, result = read.shape(value), read.shape(node.outputs[0])
    count = len(sizes) - 2
    kernel = read.ints(node, "kernel_shape")
    strides = read.ints(node, "strides", [1] * count)
    dilations = read.ints(node, "dilations", [1] * count)
    pads = read.ints(node, "pads", [0] * 2 * count)
    if count > 2 or math.prod(kernel) > _MAX_WINDOW or node.attributes.get_int("storage_order", False):
        raise NoMatch("a volume, a window of more than 49 elements or column-major indices")
    if any(pads) or node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise NoMatch("it is padded")
    # ONNX counts indices through the whole tensor, batch and channels included.
    whole = np.arange(math.prod(sizes), dtype=np.int64).reshape(sizes)
    best = where = None
    for offset in itertools.product(*(range(size) for size in kernel)):
        part, own = value, whole
        for axis in range(count):
            start = offset[axis] * dilations[axis]
            stop = start + (result[axis + 2] - 1) * strides[axis] + 1
            if stop > sizes[axis + 2]:
                raise NoMatch("a window reaches over the end")
            part = b.slice(part, axis + 2, start, stop, strides[axis])
            own = own[(slice(None),) * (axis + 2) + (slice(start, stop, strides[axis]),)]
        place = b.constant(np.ascontiguousarray(own))
        if best is None or where is None:
            best, where = part, place
            continue
        larger = b.op("Greater", part, best)
        where = b.op("Where", larger, place, where)
        best = b.op("Max", best, part)
    assert best is not None
    assert where is not None
    return [best, where]


RULE = Rule(
    code="max-pool-indices",
    title="Max pooling with indices becomes comparisons of slices that remember the place of the maximum",
    ops=("MaxPool",),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    excludes=NonFinite.NAN,
    answers=("runs-on-cpu",),
    rewrite=rewrite,
    before=Example("F.max_pool2d(x, (1, 2), return_indices=True)[1].float()", {"x": "float32[1,1,1,8]"}),
    after="(torch.arange(0, 8, 2) + (x[..., 1::2] > x[..., ::2])).float()",
    negative=Example("F.max_pool2d(x, 2)", {"x": "float32[1,2,8,8]"}),
    more=(
        Example("F.max_pool2d(x, 2, return_indices=True)", {"x": "float32[1,2,8,8]"}),
        Example("F.max_pool2d(x, 3, stride=2, return_indices=True)", {"x": "float32[2,2,9,9]"}),
    ),
)
