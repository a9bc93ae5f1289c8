"""What stands behind a product or a sum, and what keeps it from being fused with it.

QAIRT 2.51 computes a convolution, a matrix product or a sum of two tensors with a hyperbolic tangent, a sigmoid or a
GELU behind it in one step, whose activation is a coarse table. Measured on v73, v75 and v79 alike, SQNR in dB against
fp32, fused and with any operator between: tanh 44 and 68, sigmoid 48 and 67, SiLU 48 and 65, GELU 51 and 64; behind a
sum (v75) tanh 46 and 74, sigmoid 48 and 69. Behind an elementwise product or a difference nothing is lost. Two
negations, a maximum, a reshape or a slice between them are equally good; a maximum with the lowest number of fp16 is
the cheapest. A batch normalization behind a convolution is folded into it first.
"""

from __future__ import annotations

import onnx_ir as ir

from ..build import Builder
from ..rule import NoMatch

_FUSED = ("Add", "BatchNormalization", "Conv", "ConvTranspose", "Gemm", "MatMul")
_LOWEST = -65504.0


def kept_apart(b: Builder, value: ir.Value, *, saturates: bool) -> ir.Value:
    """The same value behind operators that the compiler fuses with neither side.

    Args:
        saturates: what reads it gives the same for all numbers below fp16's lowest, -inf too.

    Raises:
        NoMatch: no product and no sum stands before it.
    """
    node = value.producer()
    if node is None or node.domain or node.op_type not in _FUSED:
        raise NoMatch("no convolution, matrix product or sum stands before it")
    return b.op("Max", value, _LOWEST) if saturates else b.op("Neg", b.op("Neg", value))
