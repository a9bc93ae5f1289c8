"""What LSTM and GRU share: their inputs by ONNX's definition, and the walk over the steps of each direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

from .. import graph as read
from ..build import Builder
from ..rule import NoMatch

Array = np.ndarray[Any, Any]

_MOST_STEPS = 512
"""Each step becomes about ten nodes; beyond this the graph takes longer to compile than anybody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One direction of a recurrent node.

    Args:
        inputs: per gate, the input's part of the sum for all steps, [T, B, H].
        recurrence: per gate, the weights of the state, [H, H].
        recurrence_bias: per gate, [H].
        state: the initial states, [B, H] each.
        backward: the steps are walked from the last to the first.
    """

    inputs: tuple[ir.Value, ...]
    recurrence: tuple[Array, ...]
    recurrence_bias: tuple[Array, ...]
    state: tuple[ir.Value, ...]
    backward: bool


Step = Callable[[Builder, Direction, tuple[ir.Value, ...], tuple[ir.Value, ...]], tuple[ir.Value, ...]]
"""Takes the gates' inputs of a step, [B, H] each, and the states; returns the new states, the output first."""


def unrolled(node: ir.Node, b: Builder, gates: int, states: int, step: Step) -> tuple[ir.Value, ...]:
    """The outputs of a recurrent node, step by step.

    Args:
        gates: weight blocks of the operator, in ONNX's order. states: 2 for LSTM (hidden, cell), 1 for GRU.

    Raises:
        NoMatch: it has a form that PyTorch does not make.
    """
    kind = node.attributes.get_string("direction", "forward")
    backward = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}[kind]
    if node.attributes.get_int("layout", 0) or "clip" in node.attributes or "activations" in node.attributes:
        raise NoMatch("it has a layout, a clip or activations of its own")
    if node.attributes.get_int("input_forget", 0) or read.argument(node, 7) is not None:
        raise NoMatch("its gates are coupled or have peepholes")
    if read.argument(node, 4) is not None:
        raise NoMatch("its sequences have lengths of their own")
    x = read.required(node, 0)
    steps, batch, _ = read.shape(x)
    if not read.is_float(x) or steps * len(backward) > _MOST_STEPS:
        raise NoMatch(f"it has {steps} steps")
    weights = read.require_constant(node.inputs[1], "its weight")
    recurrence = read.require_constant(node.inputs[2], "its recurrent weight")
    hidden = recurrence.shape[2]
    initial = read.argument(node, 3)
    width = gates * hidden
    bias = np.zeros((len(backward), 2 * width), weights.dtype)
    bias = bias if initial is None else read.require_constant(initial, "its bias")
    outputs: list[ir.Value] = []
    finals: list[tuple[ir.Value, ...]] = []
    for number, reverse in enumerate(backward):
        blocks = [slice(gate * hidden, (gate + 1) * hidden) for gate in range(gates)]
        sums = tuple(
            b.op("Add", b.op("MatMul", x, weights[number, block].T.copy()), bias[number, :width][block])
            for block in blocks
        )
        direction = Direction(
            inputs=sums,
            recurrence=tuple(recurrence[number, block].T.copy() for block in blocks),
            recurrence_bias=tuple(bias[number, width:][block] for block in blocks),
            state=tuple(_initial(node, b, place, number, (batch, hidden)) for place in range(states)),
            backward=reverse,
        )
        rows, final = _walk(b, direction, steps, batch, hidden, step)
        outputs.append(b.reshape(b.concat(rows, 0), [steps, 1, batch, hidden]))
        finals.append(final)
    last = [b.concat([b.reshape(final[place], [1, batch, hidden]) for final in finals], 0) for place in range(states)]
    return (b.concat(outputs, 1), *last)[: len(node.outputs)]


def _initial(node: ir.Node, b: Builder, place: int, direction: int, shape: tuple[int, int]) -> ir.Value:
    initial = read.argument(node, 5 + place)
    if initial is None:
        return b.constant(np.zeros(shape, read.dtype(node.inputs[0])))
    return b.reshape(b.slice(initial, 0, direction, direction + 1), shape)


def _walk(
    b: Builder, direction: Direction, steps: int, batch: int, hidden: int, step: Step
) -> tuple[list[ir.Value], tuple[ir.Value, ...]]:
    state = direction.state
    rows: list[ir.Value | None] = [None] * steps
    for position in reversed(range(steps)) if direction.backward else range(steps):
        inputs = tuple(
            b.reshape(b.slice(item, 0, position, position + 1), [batch, hidden]) for item in direction.inputs
        )
        state = step(b, direction, inputs, state)
        rows[position] = b.reshape(state[0], [1, batch, hidden])
    return [row for row in rows if row is not None], state
