"""Linear maps along one axis, as convolutions of one element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..rule import NoMatch

Array = np.ndarray[Any, Any]

MAX_ELEMENTS = 4 << 20


def along_axis(b: Builder, value: ir.Value, axis: int, matrix: Array) -> ir.Value:
    """``matrix`` [out, in] applied to ``axis``. Raises NoMatch for a matrix that is unreasonably large."""
    if matrix.size > MAX_ELEMENTS:
        raise NoMatch(f"the matrix {list(matrix.shape)} is too large")
    sizes = read.shape(value)
    matrix = matrix.astype(read.dtype(value))
    before, after = math.prod(sizes[:axis]), math.prod(sizes[axis + 1 :])
    # The axis as channels. A product between two transposes crashes the simulator in some surroundings, and one with
    # the constant on the left takes minutes to compile; both measured.
    flat = b.reshape(value, [before, sizes[axis], 1, after])
    flat = b.op("Conv", flat, matrix.reshape(*matrix.shape, 1, 1), kernel_shape=[1, 1])
    return b.reshape(flat, [*sizes[:axis], matrix.shape[0], *sizes[axis + 1 :]])
