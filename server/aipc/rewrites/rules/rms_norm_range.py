"""Root mean square normalization whose squares stay in the range of fp16."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_SMALLEST = 2.0**-5


def _number(value: ir.Value | None, what: str) -> float:
    array = read.require_constant(value, what)
    if array.size != 1:
        raise NoMatch(f"{what} is not a number")
    return float(array.reshape(-1)[0])


def _squared(value: ir.Value, b: Builder) -> ir.Value:
    """What is squared, by a product with itself or a power."""
    node = read.producer(value, "Mul", "Pow")
    first, second = read.required(node, 0), read.required(node, 1)
    if node.op_type == "Mul" and first is second:
        b.absorb(node)
        return first
    if node.op_type == "Pow" and _number(second, "the exponent") == 2:
        b.absorb(node)
        return first
    raise NoMatch("nothing is squared")


def _root(value: ir.Value, b: Builder) -> tuple[ir.Value, float, list[int]]:
    """(x, epsilon, axes) of sqrt(mean(x ** 2) + epsilon)."""
    root = read.producer(value, "Sqrt")
    added = read.producer(read.required(root, 0), "Add")
    place = 0 if read.constant(added.inputs[1]) is not None else 1
    epsilon = _number(added.inputs[1 - place], "the epsilon")
    mean = read.producer(added.inputs[place], "ReduceMean")
    if not mean.attributes.get_int("keepdims", 1):
        raise NoMatch("the mean drops its axes")
    squares = read.required(mean, 0)
    b.absorb(root, added, mean)
    return _squared(squares, b), epsilon, list(read.axes_of(mean, squares))


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    values = [read.required(node, place) for place in (0, 1)]
    if node.op_type == "Div":
        x, epsilon, axes = _root(values[1], b)
        if x is not values[0]:
            raise NoMatch("another tensor is divided")
    else:
        for place in (0, 1):
            inverse = values[place].producer()
            if inverse is not None and inverse.op_type == "Reciprocal":
                x, epsilon, axes = _root(read.required(inverse, 0), b)
                b.absorb(inverse)
                break
        else:
            raise NoMatch("it does not multiply with a reciprocal")
        if x is not values[1 - place]:
            raise NoMatch("another tensor is multiplied")
    # Divided by its largest element before it is squared: x ** 2 leaves the range of fp16 at 362.
    scale = b.op("Max", b.reduce("ReduceMax", b.op("Abs", x), axes), _SMALLEST)
    small = b.op("Div", x, scale)
    mean = b.reduce("ReduceMean", b.op("Mul", small, small), axes)
    share = b.op("Div", b.constant(np.asarray(np.sqrt(epsilon), read.dtype(x))), scale)
    return b.op("Div", small, b.op("Sqrt", b.op("Add", mean, b.op("Mul", share, share))))


RULE = Rule(
    code="rms-norm-range",
    title="A root mean square normalization divides by the largest element first, so that no square overflows fp16",
    ops=("Div", "Mul"),
    trigger=Trigger.COARSE,
    exactness=Exactness.ROUNDING,
    answers=("fp16-precision", "diverges", "wrong-numbers"),
    rewrite=rewrite,
    before=Example("x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6)", {"x": "torch.randn(2, 16, 64) * 900"}),
    after="""\
class Model(nn.Module):
    def forward(self, x):
        scale = x.abs().amax(-1, keepdim=True)
        small = x / scale
        return small * torch.rsqrt((small * small).mean(-1, keepdim=True) + 1e-6 / (scale * scale))
""",
    negative=Example("x * torch.rsqrt((x * x).mean(-1) + 1e-6).unsqueeze(-1)", {"x": "float32[2,3]"}),
    more=(
        Example("nn.RMSNorm(64, eps=1e-5)", {"x": "torch.randn(2, 16, 64)"}),
        Example("x / torch.sqrt(x.pow(2).mean((1, 2), keepdim=True) + 1e-6)", {"x": "torch.randn(2, 16, 8) * 50"}),
    ),
)
