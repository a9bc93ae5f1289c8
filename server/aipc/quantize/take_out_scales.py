"""The scales that a model brings along: taken out of its graph, and given to the quantizer again.

A tool that wrote QuantizeLinear and DequantizeLinear, or training with fake quantization, decided what the integers
mean. The graph is made a float graph again, whose weights lie on their own grid, and every tensor that had a scale gets
that one, so that each operator has the form that QAIRT wants and nothing is quantized twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from aipc.core.errors import InputError
from aipc.graph.index import Array, Graph, attribute
from aipc.numerics.stepper import reads

from .passes.fold_constants import fold_constants

_TYPES: dict[int, tuple[int, int]] = {
    TensorProto.UINT4: (0, 15),
    TensorProto.INT4: (-8, 7),
    TensorProto.UINT8: (0, 255),
    TensorProto.INT8: (-128, 127),
    TensorProto.UINT16: (0, 65535),
    TensorProto.INT16: (-32768, 32767),
}
_QDQ = {"QuantizeLinear", "DequantizeLinear"}
LAYERS = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
_MOVES = {
    "DepthToSpace",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "MaxPool",
    "Relu",
    "Reshape",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
}
"""Operators whose outputs hold values of their first input, or 0."""
_FOLDED = {"Add", "BatchNormalization", "Clip", "Div", "Mul", "Relu"}
"""What becomes part of the layer before it, with constants."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """real = (integer - ``zero``) * ``scale``; one of each, or one for each entry of ``axis`` of a weight."""

    scale: Array
    zero: Array
    kind: int
    """ONNX's number of the integers' type."""
    axis: int = 0

    @property
    def bits(self) -> int:
        return int(_TYPES[self.kind][1] - _TYPES[self.kind][0] + 1).bit_length() - 1

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest real number, of an encoding of a whole tensor."""
        low, high = _TYPES[self.kind]
        zero, scale = float(self.zero.ravel()[0]), float(self.scale.ravel()[0])
        return (low - zero) * scale, (high - zero) * scale

    def is_like(self, other: Encoding) -> bool:
        return np.allclose(self.ends, other.ends) and self.bits == other.bits

    def unsigned(self) -> tuple[np.float32, int]:
        """Scale and zero point of the same integers, counted from 0 as QAIRT's activations are."""
        return np.float32(self.scale.ravel()[0]), int(self.zero.ravel()[0]) - _TYPES[self.kind][0]


@dataclass(slots=True)
class OwnQuantization:
    """``activations``: tensor -> encoding. ``weights``: constant -> its reals on their grid and their encoding.

    ``layers``: layer -> the constant that is its weight. ``refused``: encodings beside another of the same tensor.
    """

    activations: dict[str, Encoding] = field(default_factory=dict)
    weights: dict[str, tuple[Array, Encoding]] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)
    refused: int = 0

    def __bool__(self) -> bool:
        return bool(self.activations or self.weights)

    def ranges(self) -> dict[str, tuple[float, float]]:
        return {name: encoding.ends for name, encoding in self.activations.items()}


def take_out(model: onnx.ModelProto) -> tuple[onnx.ModelProto, OwnQuantization]:
    """``model`` in float, changed in place, and the quantization that it had, which is empty where there is none.

    Raises:
        InputError: a part of it is computed in integers, which this cannot take apart.
    """
    own = OwnQuantization()
    if not any(node.op_type in _QDQ for node in model.graph.node):
        return model, own
    graph = Graph(model)
    fold_constants(graph, frozenset())
    _take_weights(graph, own)
    _take_activations(graph, own)
    left = [node for node in graph.model.graph.node if node.op_type in _QDQ]
    if left:
        raise InputError(
            f"the model's own quantization cannot be taken over: {left[0].name} stands beside an operator on integers",
            remedy="write it with pairs of QuantizeLinear and DequantizeLinear around operators in float (QDQ)",
        )
    _spread(graph, own)
    _drop_unread(graph)
    return graph.model, own


def _drop_unread(graph: Graph) -> None:
    read = {name for node in graph.model.graph.node for name in reads(node)} | graph.outputs
    initializers = [item for item in graph.model.graph.initializer if item.name in read]
    del graph.model.graph.initializer[:]
    graph.model.graph.initializer.extend(initializers)
    graph.refresh()


def _take_weights(graph: Graph, own: OwnQuantization) -> None:
    """Constants behind their Q and DQ as reals on the grid."""
    integers: dict[str, tuple[Array, Encoding]] = {}
    for node in list(graph.model.graph.node):
        first = node.input[0] if node.input else ""
        encoding = _encoding(graph, node) if node.op_type in _QDQ else None
        value = graph.array(first)
        if node.op_type == "QuantizeLinear" and encoding and value is not None:
            low, high = _TYPES[encoding.kind]
            scale, zero = _along(encoding, value.ndim)
            integers[node.output[0]] = np.clip(np.rint(value / scale) + zero, low, high), encoding
        elif node.op_type == "Clip" and first in integers:
            ends = [graph.array(name) if name else None for name in (*node.input[1:3], "", "")[:2]]
            known, kind = integers[first]
            integers[node.output[0]] = np.clip(known, ends[0], ends[1]), kind
        elif node.op_type == "DequantizeLinear" and (first in integers or value is not None):
            known = integers[first][0] if first in integers else np.asarray(value, np.float64)
            _replace_by_constant(graph, own, node, known, encoding)
            continue
        elif node.op_type == "Transpose" and first in own.weights:
            _transpose(graph, own, node)
            continue
        else:
            continue
        graph.model.graph.node.remove(node)
    graph.refresh()
    for node in graph.model.graph.node:
        if node.op_type in LAYERS and node.input[1] in own.weights:
            own.layers[node.name] = node.input[1]


def _replace_by_constant(
    graph: Graph, own: OwnQuantization, node: onnx.NodeProto, integers: Array, encoding: Encoding | None
) -> None:
    """The reals in the place of the node that makes them; a bias in 32 bits needs no encoding of its own."""
    name = node.output[0]
    scale, zero = (
        np.asarray(item, np.float64) for item in _along(encoding or _encoding(graph, node, wide=True), integers.ndim)
    )
    reals = ((integers - zero) * scale).astype(np.float32)
    _constant(graph, name, reals)
    if encoding is not None:
        own.weights[name] = reals, encoding
    graph.model.graph.node.remove(node)


def _transpose(graph: Graph, own: OwnQuantization, node: onnx.NodeProto) -> None:
    value, encoding = own.weights[node.input[0]]
    order = list(attribute(node, "perm", None) or reversed(range(value.ndim)))
    turned = np.ascontiguousarray(value.transpose(order))
    axis = order.index(encoding.axis) if encoding.scale.size > 1 else 0
    _constant(graph, node.output[0], turned)
    own.weights[node.output[0]] = turned, Encoding(encoding.scale, encoding.zero, encoding.kind, axis)
    graph.model.graph.node.remove(node)


def _constant(graph: Graph, name: str, value: Array) -> None:
    graph.model.graph.initializer.append(numpy_helper.from_array(value, name))
    graph.constants[name] = graph.model.graph.initializer[-1]


def _along(encoding: Encoding | None, rank: int) -> tuple[Array, Array]:
    """Scale and zero point in a shape that broadcasts over a tensor of ``rank`` dimensions."""
    assert encoding is not None
    if encoding.scale.size == 1:
        return encoding.scale.reshape([]), encoding.zero.reshape([])
    shape = [1] * rank
    shape[encoding.axis] = -1
    return encoding.scale.reshape(shape), encoding.zero.reshape(shape)


def _encoding(graph: Graph, node: onnx.NodeProto, *, wide: bool = False) -> Encoding | None:
    """What a Q or DQ node means; None for one of no type that has an encoding (a bias of 32 bits)."""
    scale = graph.array(node.input[1])
    zero = graph.array(node.input[2]) if len(node.input) > 2 and node.input[2] else None
    kind = graph.constants[node.input[2]].data_type if zero is not None else None
    if kind is None:
        first = graph.constants.get(node.input[0])
        kind = first.data_type if first is not None and node.op_type == "DequantizeLinear" else TensorProto.UINT8
    if scale is None or (kind not in _TYPES and not wide):
        return None
    numbers = np.zeros(scale.shape, np.int64) if zero is None else np.asarray(zero).astype(np.int64)
    rank = len(graph.shapes.get(node.input[0]) or graph.shapes.get(node.output[0]) or ()) or 1
    axis = attribute(node, "axis", 1)
    return Encoding(scale.astype(np.float32), numbers, kind, axis if axis >= 0 else axis + rank)


def _take_activations(graph: Graph, own: OwnQuantization) -> None:
    for node in list(graph.model.graph.node):
        if node.op_type != "DequantizeLinear":
            continue
        before = graph.producers.get(node.input[0])
        between = []
        if before is not None and before.op_type == "Clip":
            between, before = [before], graph.producers.get(before.input[0])
        encoding = _encoding(graph, node)
        if before is None or before.op_type != "QuantizeLinear" or encoding is None or encoding.scale.size > 1:
            continue
        tensor = _join(graph, before.input[0], node)
        for old in (before.input[0], tensor):
            if old in own.activations and old != tensor:
                own.activations[tensor] = own.activations.pop(old)
        known = own.activations.setdefault(tensor, encoding)
        own.refused += not known.is_like(encoding)
        graph.refresh()
        for item in (*between, before):
            if not any(graph.consumers.get(name) for name in item.output):
                graph.model.graph.node.remove(item)
                graph.refresh()


def _join(graph: Graph, tensor: str, node: onnx.NodeProto) -> str:
    """Let ``tensor`` stand for what ``node`` makes of its integers; the name that both have then."""
    result = node.output[0]
    inputs = {value.name for value in graph.model.graph.input}
    if result in graph.outputs and (tensor in graph.outputs or tensor in inputs):
        copy = helper.make_node("Identity", [tensor], [result], name=node.name)
        node.CopyFrom(copy)
        return tensor
    graph.model.graph.node.remove(node)
    old, new = (tensor, result) if result in graph.outputs else (result, tensor)
    for other in graph.model.graph.node:
        other.input[:] = [new if name == old else name for name in other.input]
        other.output[:] = [new if name == old else name for name in other.output]
    return new


def _spread(graph: Graph, own: OwnQuantization) -> None:
    """A tensor that holds another's values has its encoding, where it has none of its own."""
    for node in graph.model.graph.node:
        if node.op_type in _MOVES and node.input[0] in own.activations:
            for name in filter(None, node.output):
                own.activations.setdefault(name, own.activations[node.input[0]])
    for node in reversed(graph.model.graph.node):
        consumer = graph.sole_consumer(node.output[0]) if node.op_type != "Relu" and node.output else None
        if consumer is not None and consumer.op_type in _MOVES - {"Relu"} and consumer.input[0] == node.output[0]:
            encoding = own.activations.get(consumer.output[0])
            if encoding is not None:
                own.activations.setdefault(node.output[0], encoding)


def absorb_activations(graph: Graph, own: OwnQuantization, keep: frozenset[str]) -> int:
    """Drop each Relu and Clip whose own range cuts off the same; the layer before it saturates there. How many."""
    dropped = 0
    for node in [node for node in graph.model.graph.node if node.op_type in {"Relu", "Clip"} and node.name not in keep]:
        before, encoding = graph.producers.get(node.input[0]), own.activations.get(node.output[0])
        if before is None or before.op_type not in LAYERS | {"Add", "BatchNormalization"} or encoding is None:
            continue
        if node.input[0] in own.activations or graph.sole_consumer(node.input[0]) is None or before.name in keep:
            continue
        low, high = _cut(graph, node)
        step = float(encoding.scale.ravel()[0])
        if low is None or encoding.ends[0] < low - step / 2 or encoding.ends[1] > high + step / 2:
            continue
        fused = onnx.NodeProto()
        fused.CopyFrom(before)
        fused.output[0] = node.output[0]
        graph.replace([before, node], [fused])
        dropped += 1
    return dropped


def _cut(graph: Graph, node: onnx.NodeProto) -> tuple[float | None, float]:
    """The ends that a Relu or Clip leaves; the first is None where they are not known."""
    if node.op_type == "Relu":
        return 0.0, np.inf
    ends = [graph.array(name) if name else None for name in (*node.input[1:3], "", "")[:2]]
    if any(name and value is None for name, value in zip(node.input[1:3], ends, strict=False)):
        return None, np.inf
    low, high = ends
    return (-np.inf if low is None else float(low)), (np.inf if high is None else float(high))


def nodes_in_float(model: onnx.ModelProto, own: OwnQuantization) -> tuple[str, ...]:
    """The nodes that the model computes in float: none of what they make reaches a scale of its own."""
    graph = Graph(model)
    return tuple(
        node.name
        for node in graph.model.graph.node
        if not any(_reaches_scale(graph, own, name) for name in node.output if name)
    )


def _reaches_scale(graph: Graph, own: OwnQuantization, tensor: str) -> bool:
    """Whether a tensor has a scale, or what becomes one operator with the node before it has."""
    while tensor not in own.activations:
        consumer = graph.sole_consumer(tensor)
        if consumer is None or consumer.op_type not in _FOLDED:
            return False
        if any(name and name != tensor and name not in graph.constants for name in consumer.input):
            return False
        tensor = consumer.output[0]
    return True


def own_quantization_note(own: OwnQuantization, left: Mapping[str, Any] | tuple[str, ...]) -> str:
    """What was taken over, in a clause."""
    text = f"the model's own scales are taken over: {len(own.activations)} activations, {len(own.weights)} constants"
    text += f"; {own.refused} that another scale of the same tensor excludes are left out" if own.refused else ""
    return text + (f"; {len(left)} nodes without scales stay in fp16" if left else "")
