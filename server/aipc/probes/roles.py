"""What each graph input is: its dtype and example, and the operators that read it, through those that only move values.

An index has the size of its table from the graph (Gather, Scatter), a length the end of the range that it is compared
with; both are what the graph itself implies, not what a name suggests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir

Array = np.ndarray[Any, Any]

_MOVES = frozenset(
    {
        *("Cast", "CastLike", "Identity", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Expand", "Tile", "Transpose"),
        *("Slice", "Split"),
    }
)
"""Operators whose outputs hold the values of their first input and no others."""
_COMPARISONS = frozenset({"Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
_SCATTERS = frozenset({"ScatterElements", "ScatterND", "Scatter"})
_ELEMENTWISE = frozenset({"Add", "Sub", "Mul", "Div", "Neg", "Abs", "Clip", "Relu", "Sqrt", "Log", "Exp", "Pow"})
_LOOKS = frozenset({"IsNaN", "IsInf"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An operator that reads the input, or values moved from it.

    ``size``: of an index, the length of the axis that it points into; of a comparison with 0, 1, 2 ..., the length of
    that range. ``shift``: what was added to the input on the way.
    """

    operator: str
    position: int
    size: int | None = None
    shift: int = 0
    counted: bool = False
    """Compared with a constant 0, 1, 2 ...: the input is a length or a position."""
    boolean: bool = False
    """Read as a boolean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One graph input: its example ``[shape]`` and what reads it."""

    name: str
    example: Array
    uses: tuple[Use, ...]
    looks_for_nonfinite: bool
    """The graph asks whether values of this input, or what is calculated from each of them alone, are finite."""

    @property
    def indexes(self) -> tuple[Use, ...]:
        return tuple(use for use in self.uses if use.size is not None and not use.counted)

    @property
    def scatters(self) -> bool:
        """Whether the input says where something is written: equal indices would leave the order open."""
        return any(use.operator in _SCATTERS for use in self.indexes)

    @property
    def counts(self) -> tuple[Use, ...]:
        return tuple(use for use in self.uses if use.counted)

    @property
    def boolean(self) -> bool:
        return any(use.boolean for use in self.uses)

    def operators(self) -> frozenset[str]:
        return frozenset(use.operator for use in self.uses)


def roles(model: ir.Model, example: Mapping[str, Array]) -> tuple[Role, ...]:
    """The role of every graph input that ``example`` has an array for, in graph order. Arrays have the
    shapes and dtypes of the inputs."""
    graph = model.graph
    return tuple(
        Role(
            name=value.name or "",
            example=np.asarray(example[value.name or ""]),
            uses=tuple(dict.fromkeys(_uses(value))),
            looks_for_nonfinite=_is_looked_at(value),
        )
        for value in graph.inputs
        if value.name in example
    )


def _is_looked_at(start: ir.Value) -> bool:
    visited: set[int] = set()
    waiting = [start]
    while waiting:
        value = waiting.pop()
        if id(value) in visited:
            continue
        visited.add(id(value))
        for usage in value.uses():
            if _looks(usage.node):
                return True
            if usage.node.op_type in _ELEMENTWISE or (usage.node.op_type in _MOVES and usage.idx == 0):
                waiting += usage.node.outputs
    return False


def _looks(node: ir.Node) -> bool:
    """Whether a node asks for NaN or infinity: IsNaN, IsInf, ``x != x``, a comparison with infinity."""
    if node.op_type in _LOOKS:
        return True
    if node.op_type != "Equal" and node.op_type not in _COMPARISONS:
        return False
    if node.inputs[0] is node.inputs[1]:
        return True
    constants = [_constant(value) for value in node.inputs]
    return any(item is not None and item.dtype.kind == "f" and not np.isfinite(item).all() for item in constants)


def _uses(start: ir.Value) -> Iterator[Use]:
    visited: set[tuple[int, int]] = set()
    waiting: list[tuple[ir.Value, int, bool]] = [(start, 0, start.dtype == ir.DataType.BOOL)]
    while waiting:
        value, shift, boolean = waiting.pop()
        if (id(value), shift) in visited:
            continue
        visited.add((id(value), shift))
        for usage in value.uses():
            node, position = usage.node, usage.idx
            if node.op_type in _MOVES and position == 0:
                for output in node.outputs:
                    waiting.append((output, shift, boolean or output.dtype == ir.DataType.BOOL))
                continue
            added = _added(node, position)
            if added is not None:
                waiting.append((node.outputs[0], shift + added, boolean))
                yield Use(operator=node.op_type, position=position, boolean=boolean)
                continue
            yield _use(node, position, shift, boolean)


def _added(node: ir.Node, position: int) -> int | None:
    """The constant whole number that the node adds to or subtracts from an integer input; None for any other node."""
    if node.op_type not in {"Add", "Sub"} or (node.op_type == "Sub" and position == 1):
        return None
    constant = _constant(node.inputs[1 - position])
    if constant is None or constant.size != 1 or constant.dtype.kind not in "iu":
        return None
    value = int(constant.reshape(-1)[0])
    return value if node.op_type == "Add" else -value


def _use(node: ir.Node, position: int, shift: int, boolean: bool) -> Use:
    if node.op_type in _COMPARISONS and (size := _counted(node.inputs[1 - position])):
        return Use(operator=node.op_type, position=position, size=size, shift=shift, counted=True, boolean=boolean)
    size = _table_size(node, position)
    return Use(operator=node.op_type, position=position, size=size, shift=shift, boolean=boolean)


def _counted(value: ir.Value | None) -> int | None:
    """The length of a constant 0, 1, 2 ... in any arrangement of axes; None for anything else."""
    constant = _constant(value)
    if constant is None or constant.size < 2 or constant.dtype.kind not in "iuf":
        return None
    flat = np.unique(constant)
    if not np.array_equal(flat, np.arange(flat.size)):
        return None
    return int(flat.size)


def _table_size(node: ir.Node, position: int) -> int | None:
    if position != 1:
        return None
    shape = _shape(node.inputs[0])
    if not shape:
        return None
    if node.op_type in {"Gather", "GatherElements", "ScatterElements", "Scatter"}:
        axis = node.attributes.get_int("axis", 0)
        return shape[axis]
    if node.op_type in {"GatherND", "ScatterND"}:
        indices = _shape(node.inputs[1])
        first = node.attributes.get_int("batch_dims", 0) if node.op_type == "GatherND" else 0
        depth = indices[-1] if indices else 1
        # Which column the input becomes is not followed: the smallest axis is safe for each.
        return min(shape[first : first + depth], default=None)
    return None


def _shape(value: ir.Value | None) -> tuple[int, ...]:
    if value is None:
        return ()
    constant = _constant(value)
    if constant is not None:
        return tuple(constant.shape)
    if value.shape is None or not all(isinstance(size, int) for size in value.shape):
        return ()
    return tuple(int(str(size)) for size in value.shape)


def _constant(value: ir.Value | None) -> Array | None:
    """The array of an initializer or a Constant node."""
    if value is None:
        return None
    if value.const_value is not None:
        return np.asarray(value.const_value.numpy())
    producer = value.producer()
    if producer is not None and producer.op_type == "Constant" and "value" in producer.attributes:
        return np.asarray(producer.attributes["value"].as_tensor().numpy())
    return None
