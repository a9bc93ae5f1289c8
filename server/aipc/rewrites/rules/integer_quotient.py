"""A quotient of integers that is rounded in floating point, as a division of integers."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule
from ._integers import floored, quotient


def _rounded(value: ir.Value, b: Builder) -> tuple[ir.Node, bool]:
    """(the division, whether its quotient is rounded down) of ``Floor(q)`` or ``Sign(q) * Floor(Abs(q))``."""
    node = read.producer(value, "Floor", "Mul")
    b.absorb(node)
    if node.op_type == "Floor":
        return read.producer(read.argument(node, 0), "Div"), True
    parts = [read.producer(read.argument(node, place), "Floor", "Sign") for place in (0, 1)]
    whole, sign = sorted(parts, key=lambda item: item.op_type)
    if (whole.op_type, sign.op_type) != ("Floor", "Sign"):
        raise NoMatch("it is no quotient rounded towards zero")
    size = read.producer(read.argument(whole, 0), "Abs")
    if size.inputs[0] is not sign.inputs[0]:
        raise NoMatch("the sign is that of another quotient")
    b.absorb(whole, sign, size)
    return read.producer(read.argument(sign, 0), "Div"), False


def _integer(value: ir.Value, dtype: np.dtype, b: Builder) -> ir.Value:
    """The integer that ``value`` is in floating point. Raises NoMatch."""
    array = read.constant(value)
    if array is not None:
        if not np.array_equal(array, np.round(array)) or not (np.abs(array) < 2**24).all() or not array.all():
            raise NoMatch("the divisor is no integer")
        return b.constant(array.astype(dtype))
    node = read.producer(value, "Cast")
    source = read.required(node, 0)
    if read.dtype(source) != dtype:
        raise NoMatch("the operands are no integers of the result's dtype")
    b.absorb(node)
    return source


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    dtype = read.dtype(node.outputs[0])
    if dtype.kind != "i":
        raise NoMatch("the result is no signed integer")
    division, down = _rounded(read.required(node, 0), b)
    b.absorb(division)
    x, y = (_integer(read.required(division, place), dtype, b) for place in (0, 1))
    return floored(b, x, y)[0] if down else quotient(b, x, y)


RULE = Rule(
    code="integer-quotient",
    title="A quotient of integers that is rounded in floating point becomes a division of integers",
    ops=("Cast",),
    trigger=Trigger.WRONG,
    exactness=Exactness.EXACT,
    answers=("wrong-numbers", "fp16-precision"),
    rewrite=rewrite,
    before=Example("torch.floor(x.float() / 7).long()", {"x": "torch.arange(-24000, 24000, 37)"}),
    after="x // 7",
    negative=Example("torch.floor(x / 7).long()", {"x": "float32[2,8]"}),
    more=(
        Example("torch.trunc(x.float() / 8).long()", {"x": "torch.arange(-24000, 24000, 37)"}),
        Example(
            "torch.floor(x.float() / y.float()).long()",
            {"x": "torch.arange(-240, 240, 7)", "y": "torch.arange(69) * 2 - 69"},
        ),
    ),
)
