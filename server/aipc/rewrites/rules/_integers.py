"""Division of integers on the NPU, which computes it in 32 bits and exactly, but for one case."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder


def is_power_of_two(value: ir.Value) -> bool:
    """Whether a constant holds a power of two: by it the NPU rounds down instead of towards zero (QAIRT 2.51)."""
    array = read.constant(value)
    return array is not None and bool(np.any((array > 1) & (array & (array - 1) == 0)))


def quotient(b: Builder, x: ir.Value, y: ir.Value) -> ir.Value:
    """x / y rounded towards zero, as ONNX's Div of integers is defined."""
    array = read.constant(y)
    if array is None or not is_power_of_two(y):
        return b.op("Div", x, y)
    # By the negative power the NPU divides exactly, and the sign does not change what is rounded off.
    return b.op("Mul", b.op("Div", x, -array), -1)


def floored(b: Builder, x: ir.Value, y: ir.Value) -> tuple[ir.Value, ir.Value]:
    """(quotient rounded down, remainder with the divisor's sign)."""
    whole = quotient(b, x, y)
    rest = b.op("Sub", x, b.op("Mul", whole, y))
    array = read.constant(y)
    if array is not None and ((array > 0).all() or (array < 0).all()):
        other_sign = b.op("Less" if (array > 0).all() else "Greater", rest, 0)
    else:
        differ = b.op("Xor", b.op("Less", rest, 0), b.op("Less", y, 0))
        other_sign = b.op("And", differ, b.op("Not", b.op("Equal", rest, 0)))
    return b.op("Where", other_sign, b.op("Sub", whole, 1), whole), b.op(
        "Where", other_sign, b.op("Add", rest, y), rest
    )
