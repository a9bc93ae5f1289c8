"""What the rules share that keep values within fp16's range."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..rule import NoMatch

FP16_LARGEST = 65504.0
"""Beyond it the NPU's fp16 holds numbers too, but compares none of them (measured on v75)."""
_SMALLEST = 2.0**-10
"""Nothing is divided by less: squares of what is smaller than this are below fp16's smallest in any form."""


def scale_of(b: Builder, x: ir.Value, axes: Sequence[int]) -> ir.Value:
    """The largest size along ``axes``, which are kept: what ``x`` may be divided by to lie between -1 and 1."""
    return b.op("Max", b.reduce("ReduceMax", b.op("Abs", x), axes), _SMALLEST)


def number(value: ir.Value | None, what: str) -> float:
    """A constant with one element. Raises NoMatch."""
    array = read.require_constant(value, what)
    if array.size != 1:
        raise NoMatch(f"{what} is not a number")
    return float(array.reshape(-1)[0])


def other_than_number(node: ir.Node) -> tuple[ir.Value, float, int]:
    """(the other operand, the number, the number's place) of a node with two operands, one of them a number."""
    for place in (1, 0):
        array = read.constant(read.argument(node, place))
        if array is not None and array.size == 1:
            other = read.required(node, 1 - place)
            if read.shape(other) != read.shape(node.outputs[0]):
                raise NoMatch("the number widens the other operand")
            return other, float(array.reshape(-1)[0]), place
    raise NoMatch("neither operand is a number")


def squared(value: ir.Value, b: Builder) -> ir.Value:
    """What is squared, by a product with itself or a power."""
    node = read.producer(value, "Mul", "Pow")
    first, second = read.required(node, 0), read.required(node, 1)
    if (node.op_type == "Mul" and first is second) or (node.op_type == "Pow" and number(second, "the exponent") == 2):
        b.absorb(node)
        return first
    raise NoMatch("nothing is squared")


def exponent(node: ir.Node) -> ir.Value:
    """What an exponential is taken of, without the limits that ``exp-range`` gave it."""
    value = read.required(node, 0)
    while (inner := value.producer()) is not None and inner.op_type in ("Max", "Min"):
        if read.constant(read.argument(inner, 1)) is None:
            break
        value = read.required(inner, 0)
    return value
