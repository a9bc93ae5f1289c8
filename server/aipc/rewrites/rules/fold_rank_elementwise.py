"""Elementwise operators on more axes than the NPU takes, on folded axes."""

from __future__ import annotations

import math
from collections.abc import Iterable

import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..proofs import Exactness, Trigger
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


_MAX_RANK = 5


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


def _expanded(b: Builder, value: ir.Value, lengths: list[int], result: list[int], places: Iterable[int]) -> ir.Value:
    """``value`` of the folded ``lengths``, repeated along ``places`` as in ``result``; ``lengths`` changes with it."""
    for place in places:
        if lengths[place] == result[place]:
            continue
        before, after = math.prod(lengths[:place]), math.prod(lengths[place + 1 :])
        value = b.expand(b.reshape(value, [before, 1, after]), [before, result[place], after])
        lengths[place] = result[place]
    return value


def _least_run(result: list[int], length: int) -> range:
    """The ``length`` neighbouring groups over which the fewest numbers are repeated."""
    starts = range(len(result) - length + 1)
    first = min(starts, key=lambda start: math.prod(result[start : start + length]))
    return range(first, first + length)


def rewrite(node: ir.Node, b: Builder) -> ir.Value:
    result = read.shape(node.outputs[0])
    if len(result) <= 4:
        raise NoMatch(f"the rank {len(result)} is not what the NPU refuses")
    inputs = [value for value in node.inputs if value is not None]
    if node.op_type in _UNARY or node.op_type == "Expand":
        inputs = inputs[:1]
    shapes, folded = fold([read.shape(value) for value in inputs], result)
    if node.op_type == "Expand":
        (value,), (lengths,) = inputs, shapes
        return b.reshape(_expanded(b, value, lengths, folded, range(len(folded))), result)
    allowed = _MAX_RANK if len(result) > _MAX_RANK else _MAX_RANK - 1
    run = _least_run(folded, max(1, len(folded) - allowed + 1)) if folded else range(0)
    parts: list[ir.Value | None] = []
    for value, lengths in zip(inputs, shapes, strict=True):
        if math.prod(lengths) == 1:
            parts.append(value if read.rank(value) == 0 else b.reshape(value, [1] * max(1, len(folded) - len(run) + 1)))
            continue
        # Operands that broadcast along alternating axes: some of them are repeated until enough axes fold.
        if len(run) > 1:
            value = _expanded(b, value, lengths, folded, run)
        joined = [*lengths[: run.start], math.prod(lengths[run.start : run.stop]), *lengths[run.stop :]]
        parts.append(b.reshape(value, joined))
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
        Example(
            "(x.reshape(2, 1, 3, 1, 4, 1) + y.reshape(1, 2, 1, 3, 1, 2)).flatten(2)",
            {"x": "float32[2,12]", "y": "float32[2,6]"},
        ),
        Example("torch.tanh(x.reshape(2, 2, 3, 4, 2, 3)).flatten(1)", {"x": "float32[4,12,6]"}),
        Example("x.reshape(2, 1, 3, 1, 2, 3).expand(2, 4, 3, 2, 2, 3).reshape(8, -1)", {"x": "float32[6,6]"}),
        Example(
            "torch.where((x > 0).reshape(2, 2, 3, 4, 2, 3), y.reshape(2, 1, 1, 1, 3), 0.5).flatten(2)",
            {"x": "float32[4,12,6]", "y": "float32[6]"},
        ),
    ),
)
