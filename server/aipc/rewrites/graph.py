"""Read an ONNX graph as rules do: static shapes, dtypes, constants; :class:`NoMatch` where they are not there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx_ir as ir
from onnx.reference import ReferenceEvaluator

from .rule import NoMatch

Array = np.ndarray[Any, Any]

_LARGEST = 65536
_OF_INTEGERS = frozenset(
    {
        *("Abs", "Add", "And", "Cast", "Concat", "ConstantOfShape", "Div", "Equal", "Expand", "Gather", "Greater"),
        *(
            "Identity",
            "Less",
            "Max",
            "Min",
            "Mod",
            "Mul",
            "Neg",
            "Not",
            "Or",
            "Range",
            "ReduceProd",
            "Reshape",
            "Slice",
        ),
        *("Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze", "Where"),
    }
)


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
    """The array of an initializer, or of integers computed from shapes and constants only; None for all else."""
    return None if value is None else _evaluated(value, {})


def _evaluated(value: ir.Value, known: dict[ir.Value, Array | None]) -> Array | None:
    if value in known:
        return known[value]
    known[value] = None
    tensor = ir.convenience.get_const_tensor(value)
    node = value.producer()
    if tensor is not None and not value.is_graph_input():
        known[value] = np.asarray(tensor.numpy())
    elif node is not None and not node.domain and value.dtype is not None and value.dtype.numpy().kind in "iub":
        known[value] = _computed(node, value, known)
    return known[value]


def _computed(node: ir.Node, value: ir.Value, known: dict[ir.Value, Array | None]) -> Array | None:
    if node.op_type == "Shape":
        source = node.inputs[0]
        if source is None or source.shape is None or not source.shape.is_static():
            return None
        window = slice(node.attributes.get_int("start", 0), node.attributes.get_int("end", None))
        return np.asarray(shape(source)[window], np.int64)
    if node.op_type not in _OF_INTEGERS:
        return None
    feeds: dict[str, Array] = {}
    for item in node.inputs:
        if item is None:
            continue
        array = _evaluated(item, known)
        if array is None or array.size > _LARGEST:
            return None
        feeds[item.name or ""] = array
    proto = ir.serde.serialize_node(node)
    try:
        results: list[Any] = list(ReferenceEvaluator(proto).run(None, feeds))
    except Exception:  # a form that onnx's reference does not know: nothing is known of its result
        return None
    return np.asarray(results[list(proto.output).index(value.name or "")])


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


def ints(node: ir.Node, name: str, default: Iterable[int] = ()) -> list[int]:
    """An attribute of integers; the default where it is left out."""
    value: Any = node.attributes.get_ints(name, None)
    return list(default) if value is None else list(value)


def axes_of(node: ir.Node, value: ir.Value, *, position: int = 1) -> tuple[int, ...]:
    """Axes of a reduction or squeeze: attribute or constant input, non-negative; all when they are left out."""
    size = rank(value)
    axes = ints(node, "axes")
    if not axes and argument(node, position) is not None:
        axes = require_constant(argument(node, position), "the axes").tolist()
    if not axes:
        return tuple(range(size))
    return tuple(sorted(int(axis) % size for axis in axes))


def producer(value: ir.Value | None, *ops: str) -> ir.Node:
    """The node of one of the types ``ops`` that makes ``value``, which nothing else reads."""
    node = value.producer() if value is not None else None
    if node is None or node.op_type not in ops:
        raise NoMatch(f"the input does not come from {' or '.join(ops)}")
    return node


def only_reader(value: ir.Value) -> ir.Node | None:
    uses = list(value.uses())
    return uses[0].node if len(uses) == 1 and not value.is_graph_output() else None
