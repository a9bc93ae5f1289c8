"""Read an ONNX graph as rules do: static shapes, dtypes, constants; :class:`NoMatch` where they are not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir

from .rule import NoMatch

Array = np.ndarray[Any, Any]


def shape(value: ir.Value | None) -> tuple[int, ...]:
    """The static shape. Raises NoMatch when it is not known."""
    if value is None or value.shape is None or not all(isinstance(dim, int) for dim in value.shape):
        raise NoMatch("the shape of a tensor is not known")
    return tuple(int(dim) for dim in value.shape)  # type: ignore[arg-type]


def rank(value: ir.Value | None) -> int:
    return len(shape(value))


def dtype(value: ir.Value | None) -> np.dtype[Any]:
    if value is None or value.dtype is None:
        raise NoMatch("the dtype of a tensor is not known")
    return value.dtype.numpy()


def is_float(value: ir.Value | None) -> bool:
    return dtype(value).kind == "f"


def constant(value: ir.Value | None) -> Array | None:
    """The array of an initializer; None for what is computed or absent."""
    if value is None:
        return None
    tensor = ir.convenience.get_const_tensor(value)
    return None if tensor is None or value.is_graph_input() else np.asarray(tensor.numpy())


def require_constant(value: ir.Value | None, what: str) -> Array:
    array = constant(value)
    if array is None:
        raise NoMatch(f"{what} is not a constant")
    return array


def argument(node: ir.Node, position: int) -> ir.Value | None:
    """An input, None where it is left out."""
    return node.inputs[position] if position < len(node.inputs) else None


def required(node: ir.Node, position: int) -> ir.Value:
    value = argument(node, position)
    if value is None:
        raise NoMatch(f"{node.op_type} has no input {position}")
    return value


def axes_of(node: ir.Node, value: ir.Value, *, position: int = 1) -> tuple[int, ...]:
    """Axes of a reduction or squeeze: attribute or constant input, non-negative; all when they are left out."""
    size = rank(value)
    given: Any = node.attributes.get_ints("axes", None)
    if given is None and argument(node, position) is not None:
        given = require_constant(argument(node, position), "the axes").tolist()
    if not given:
        return tuple(range(size))
    return tuple(sorted(int(axis) % size for axis in given))


def producer(value: ir.Value | None, *ops: str) -> ir.Node:
    """The node of one of the types ``ops`` that makes ``value``, which nothing else reads."""
    node = value.producer() if value is not None else None
    if node is None or node.op_type not in ops:
        raise NoMatch(f"the input does not come from {' or '.join(ops)}")
    return node


def only_reader(value: ir.Value) -> ir.Node | None:
    uses = list(value.uses())
    return uses[0].node if len(uses) == 1 and not value.is_graph_output() else None
