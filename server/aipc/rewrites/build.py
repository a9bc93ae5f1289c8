"""Build the nodes that replace another: named after it, with inferred types, constants folded where that is plain."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from . import graph as read
from .rule import NoMatch

Array = np.ndarray[Any, Any]

_SMALL = 64


class Builder:
    """Makes nodes for one application of a rule.

    Node ``k`` of its kind is called ``ROOT.Operator_k`` after the node that it stands for, so names are unique, and
    the same whenever the same node is rewritten.
    """

    def __init__(self, root: ir.Node, opset: int) -> None:
        self.root = root
        self.opset = opset
        self.nodes: list[ir.Node] = []
        self.constants: list[ir.Value] = []
        self.absorbed: list[ir.Node] = [root]
        self._counts: dict[str, int] = {}

    def absorb(self, *nodes: ir.Node) -> None:
        """Other nodes that the replacement stands for too: what it makes has their origins as well."""
        self.absorbed.extend(node for node in nodes if node not in self.absorbed)

    def op(self, op_type: str, *inputs: ir.Value | Array | float | int | None, **attributes: Any) -> ir.Value:
        """A node with one output. Arrays become constants, numbers scalars of the first tensor's dtype."""
        return self.ops(op_type, *inputs, outputs=1, **attributes)[0]

    def ops(
        self, op_type: str, *inputs: ir.Value | Array | float | int | None, outputs: int, **attributes: Any
    ) -> tuple[ir.Value, ...]:
        values = [self._operand(item, inputs) for item in inputs]
        number = self._counts.get(op_type, 0)
        self._counts[op_type] = number + 1
        name = f"{self.root.name}.{op_type}_{number}"
        results = [ir.Value(name=f"{name}:{index}") for index in range(outputs)]
        node = ir.node(
            op_type, values, {k: v for k, v in attributes.items() if v is not None}, outputs=results, name=name
        )
        _infer(node, self.opset)
        self.nodes.append(node)
        return tuple(results)

    def constant(self, array: Array) -> ir.Value:
        """An initializer with the shape and dtype of ``array``."""
        name = f"{self.root.name}.constant_{len(self.constants)}"
        tensor = ir.tensor(np.ascontiguousarray(array).reshape(array.shape), name=name)
        value = ir.Value(name=name, const_value=tensor, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype))
        self.constants.append(value)
        return value

    def _operand(
        self, item: ir.Value | Array | float | int | None, others: Sequence[ir.Value | Array | float | int | None]
    ) -> ir.Value | None:
        if item is None or isinstance(item, ir.Value):
            return item
        if isinstance(item, np.ndarray):
            return self.constant(item)
        like = next((other for other in others if isinstance(other, ir.Value)), None)
        return self.constant(np.asarray(item, read.dtype(like)))

    # Shape operations that leave out what does nothing and are done at once on constants.

    def reshape(self, value: ir.Value, shape: Sequence[int]) -> ir.Value:
        if read.shape(value) == tuple(shape):
            return value
        array = read.constant(value)
        if array is not None:
            return self.constant(array.reshape(shape))
        return self.op("Reshape", value, np.asarray(shape, np.int64))

    def transpose(self, value: ir.Value, perm: Sequence[int]) -> ir.Value:
        """Permute axes; a permutation that moves only axes of size 1 becomes a reshape."""
        perm, sizes = [int(axis) for axis in perm], read.shape(value)
        if perm == sorted(perm):
            return value
        array = read.constant(value)
        if array is not None:
            return self.constant(array.transpose(perm))
        moved = [axis for axis in perm if sizes[axis] != 1]
        if moved == sorted(moved):
            return self.reshape(value, [sizes[axis] for axis in perm])
        return self.op("Transpose", value, perm=perm)

    def slice(self, value: ir.Value, axis: int, start: int, stop: int, step: int = 1) -> ir.Value:
        """``value[start:stop:step]`` on one axis, bounds within it, step positive."""
        if (start, step) == (0, 1) and stop >= read.shape(value)[axis]:
            return value
        bounds = (np.asarray([item], np.int64) for item in (start, stop, axis, step))
        return self.op("Slice", value, *bounds)

    def concat(self, values: Sequence[ir.Value], axis: int) -> ir.Value:
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def gather(self, value: ir.Value, indices: Array, axis: int) -> ir.Value:
        """Entries of ``value`` along ``axis`` by int64 ``indices``, whose shape takes the place of that axis."""
        return self.op("Gather", value, np.asarray(indices, np.int64), axis=axis)

    def expand(self, value: ir.Value, shape: Sequence[int]) -> ir.Value:
        """Broadcast to exactly ``shape``."""
        if read.shape(value) == tuple(shape):
            return value
        return self.op("Expand", value, np.asarray(shape, np.int64))

    def exp(self, value: ir.Value) -> ir.Value:
        """e^x. Beyond +-89 the NPU's exponential wraps around (measured: e^-100 = -131008), so it is kept inside."""
        return self.op("Exp", self.op("Min", self.op("Max", value, -80.0), 88.0))

    def cast(self, value: ir.Value, dtype: Any) -> ir.Value:
        wanted = np.dtype(dtype)
        if read.dtype(value) == wanted:
            return value
        return self.op("Cast", value, to=int(ir.DataType.from_numpy(wanted)))

    def reduce(self, op_type: str, value: ir.Value, axes: Sequence[int], *, keepdims: bool = True) -> ir.Value:
        """A reduction over ``axes``, spelled as the opset wants it."""
        as_input = self.opset >= (13 if op_type == "ReduceSum" else 18)
        if as_input:
            return self.op(op_type, value, np.asarray(list(axes), np.int64), keepdims=int(keepdims))
        return self.op(op_type, value, axes=list(axes), keepdims=int(keepdims))


def infer_missing(model: ir.Model) -> None:
    """Types and shapes that the exporter left out, where ONNX can infer them."""
    opset = model.opset_imports.get("", 1)
    for node in model.graph:
        known = (
            value.shape is not None and value.dtype is not None and value.shape.is_static() for value in node.outputs
        )
        if node.domain or all(known):
            continue
        with contextlib.suppress(NoMatch):
            _infer(node, opset)


def _infer(node: ir.Node, opset: int) -> None:
    """Set the outputs' types and shapes. Raises NoMatch when ONNX cannot infer a static shape."""
    schema = onnx.defs.get_schema(node.op_type, opset, node.domain)
    types: dict[str, onnx.TypeProto] = {}
    data: dict[str, onnx.TensorProto] = {}
    for value in node.inputs:
        if value is None:
            continue
        proto = ir.serde.serialize_value(value)
        name = value.name or ""
        types[name] = proto.type
        array = read.constant(value)
        if array is not None and array.size <= _SMALL:
            data[name] = onnx.numpy_helper.from_array(array, name)
    try:
        outputs_of_node = onnx.shape_inference.infer_node_outputs(
            schema,
            ir.serde.serialize_node(node),
            types,
            data,
            opset_imports=[onnx.helper.make_opsetid(node.domain, opset)],
        )
    except Exception as error:
        raise NoMatch(f"{node.op_type} does not fit here: {error}") from error
    for value in node.outputs:
        inferred = outputs_of_node.get(value.name or "")
        if inferred is None:
            raise NoMatch(f"ONNX cannot infer the shape that {node.op_type} gives")
        value.type = ir.serde.deserialize_type_proto_for_type(inferred)
        value.shape = ir.serde.deserialize_type_proto_for_shape(inferred)
