"""Elementwise operators on more axes than the NPU takes, on folded axes."""

from __future__ import annotations

import math

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..results import Exactness, Trigger
from ..rule import Example, NoMatch, Rule

_UNARY = (
    *("Abs", "Atan", "Cast", "Ceil", "Clip", "Cos", "Elu", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish"),
    *("LeakyRelu", "Log", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus"),
    *("Sqrt", "Tan", "Tanh", "IsNaN"),
)
_BROADCAST = (
    *("Add", "And", "Div", "Equal", "Expand", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mod"),
    *("Mul", "Or", "Pow", "PRelu", "Sub", "Where", "Xor"),
)


def fold(shapes: list[tuple[int, ...]], result: tuple[int, ...]) -> tuple[list[list[int]], list[int]]:
    """Shapes of the operands and of the result with neighbouring axes joined where all of them broadcast alike."""
    rank = len(result)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    patterns: list[tuple[bool, ...]] = []
    groups: list[list[int]] = []
    for axis in range(rank):
        if result[axis] == 1:
            continue
        pattern = tuple(shape[axis] == 1 for shape in padded)
        if groups and patterns[-1] == pattern:
            groups[-1].append(axis)
        else:
            groups.append([axis])
            patterns.append(pattern)
    operands = [[math.prod(shape[axis] for axis in group) for group in groups] for shape in padded]
    return operands, [math.prod(result[axis] for axis in group) for group in groups]


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    result = read.shape(node.outputs[0])
    if len(result) <= 4:
        raise NoMatch(f"the rank {len(result)} is not what the NPU refuses")
    given = [value for value in node.inputs if value is not None]
    if node.op_type in _UNARY or node.op_type == "Expand":
        given = given[:1]
    shapes, folded = fold([read.shape(value) for value in given], result)
    if len(folded) >= len(result):
        raise NoMatch("its operands broadcast along too many axes to fold any")
    parts: list[ir.Value | None] = [
        value if read.rank(value) == 0 else b.reshape(value, shape) for value, shape in zip(given, shapes, strict=True)
    ]
    if node.op_type == "Expand":
        return b.reshape(b.expand(parts[0], folded), result)  # type: ignore[arg-type]
    parts += node.inputs[len(parts) :]
    attributes = {name: attribute.value for name, attribute in node.attributes.items()}
    return b.reshape(b.op(node.op_type, *parts, **attributes), result)


RULE = Rule(
    code="fold-rank-elementwise",
    title="An elementwise operator on many axes works on folded axes between reshapes",
    ops=(*_UNARY, *_BROADCAST),
    trigger=Trigger.REFUSED,
    exactness=Exactness.EXACT,
    answers=("rank",),
    rewrite=rewrite,
    before=Example(
        "(x.reshape(2, 2, 3, 4, 2, 3) * y.reshape(1, 2, 3, 1, 2, 3)).flatten(2)",
        {"x": "float32[4,12,6]", "y": "float32[6,6]"},
    ),
    after="(x.reshape(2, 6, 4, 6) * y.reshape(1, 6, 1, 6)).reshape(2, 2, -1)",
    negative=Example("x * y", {"x": "float32[2,3,8]", "y": "float32[8]"}),
    more=(
        Example("torch.tanh(x.reshape(2, 2, 3, 4, 2, 3)).flatten(1)", {"x": "float32[4,12,6]"}),
        Example("x.reshape(2, 1, 3, 1, 2, 3).expand(2, 4, 3, 2, 2, 3).reshape(8, -1)", {"x": "float32[6,6]"}),
        Example(
            "torch.where((x > 0).reshape(2, 2, 3, 4, 2, 3), y.reshape(2, 1, 1, 1, 3), 0.5).flatten(2)",
            {"x": "float32[4,12,6]", "y": "float32[6]"},
        ),
    ),
)
