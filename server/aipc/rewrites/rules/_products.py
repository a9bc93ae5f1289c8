"""What stands behind a product, and what keeps it from being fused with it.

QAIRT 2.51 computes a convolution or a matrix product with a hyperbolic tangent, a sigmoid or a GELU behind it in one
step, whose activation is a coarse table. Measured on v73, v75 and v79 alike, SQNR in dB against fp32, fused and with
any operator between: tanh 44 and 68, sigmoid 48 and 67, SiLU 48 and 65, GELU 51 and 64. Two negations, a maximum, a
reshape or a slice between them are equally good; a maximum with the lowest number of fp16 is the cheapest.
"""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..rule import NoMatch

_PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_LOWEST = -65504.0


def _is_product(value: ir.Value | None) -> bool:
    node = value.producer() if value is not None else None
    return node is not None and not node.domain and node.op_type in _PRODUCTS


def _follows_product(value: ir.Value) -> bool:
    """Whether a product makes the value, or a product and its bias."""
    node = value.producer()
    if node is None or node.domain or node.op_type != "Add":
        return _is_product(value)
    first, second = (read.required(node, place) for place in (0, 1))
    return any(
        _is_product(one) and read.constant(other) is not None for one, other in ((first, second), (second, first))
    )


def kept_apart(b: Builder, value: ir.Value, *, saturates: bool) -> ir.Value:
    """The same value behind operators that the compiler fuses with neither side.

    Args:
        saturates: what reads it gives the same for all numbers below fp16's lowest, -inf too.

    Raises:
        NoMatch: no product stands before it.
    """
    if not _follows_product(value):
        raise NoMatch("no convolution or matrix product stands before it")
    return b.op("Max", value, _LOWEST) if saturates else b.op("Neg", b.op("Neg", value))
