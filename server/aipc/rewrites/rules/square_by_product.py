"""Squares and cubes, as products."""

from __future__ import annotations

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
from ..rule import Example, NoMatch, Rule


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    x, exponent = read.required(node, 0), read.constant(read.required(node, 1))
    if not read.is_float(x) or exponent is None or exponent.size != 1 or exponent.item() not in (2, 3):
        raise NoMatch("it is not a power of floats with the constant exponent 2 or 3")
    if read.shape(x) != read.shape(node.outputs[0]):
        raise NoMatch("the exponent has more axes than the base")
    if _is_normalized(node):
        raise NoMatch("the compiler makes one normalization of the mean of squares and what follows it")
    square = b.op("Mul", x, x)
    return square if exponent.item() == 2 else b.op("Mul", square, x)


def _is_normalized(node: ir.Node) -> bool:
    """Whether it begins the root of a mean of squares: joined by the compiler, its squares are right."""
    step = node
    for op_type in ("ReduceMean", "Add", "Sqrt"):
        readers = step.outputs[0].consumers()
        if len(readers) != 1 or readers[0].op_type != op_type:
            return False
        step = readers[0]
    return True


RULE = Rule(
    code="square-by-product",
    title="A square or cube becomes products: the NPU gives -4 for the square of a negative number below 1e-6",
    ops=("Pow",),
    trigger=Trigger.WRONG,
    exactness=Exactness.ROUNDING,
    answers=("wrong-numbers", "diverges"),
    rewrite=rewrite,
    before=Example("x.pow(2)", {"x": "float32[2,3,16]"}),
    after="x * x",
    negative=Example("x.pow(2.5)", {"x": "torch.linspace(0.1, 2, 12).reshape(3, 4)"}),
    more=(
        Example("x ** 3", {"x": "float32[4,16]"}),
        Example("x.pow(2).mean(-1)", {"x": "torch.linspace(-1e-7, 1e-3, 96).reshape(2, 48)"}),
    ),
)
