"""Linear maps along one axis, as matrix products."""

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
    if after == 1:
        flat = b.op("MatMul", b.reshape(value, [before, sizes[axis]]), np.ascontiguousarray(matrix.T))
    elif before == 1:
        flat = b.op("MatMul", matrix, b.reshape(value, [sizes[axis], after]))
    else:
        # A constant on the left of a batched product is refused: it goes to the right of the transposed tensor.
        moved = b.transpose(b.reshape(value, [before, sizes[axis], after]), [0, 2, 1])
        flat = b.transpose(b.op("MatMul", moved, np.ascontiguousarray(matrix.T)), [0, 2, 1])
    return b.reshape(flat, [*sizes[:axis], matrix.shape[0], *sizes[axis + 1 :]])
