"""Encodings that QNN wants other than the default, and how a quantized graph goes back to the float one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from .mixed_precision import higher_tensors, wide_constants
from .passes.round_weights import weight_type
from .plan import QuantizationPlan
from .quantization_results import TensorEncoding

_QDQ = ("QuantizeLinear", "DequantizeLinear")
_SOFTMAX_ROOM = 4.0
"""What a softmax may give over the largest that it gave on the calibration data."""
_MASKING = frozenset({"Add", "Where"})
"""Operators before a softmax that may close places: with fewer open, each gets more than any sample showed."""


def overrides_for(
    model: onnx.ModelProto,
    plan: QuantizationPlan,
    float_nodes: tuple[str, ...],
    ranges: Mapping[str, tuple[float, float]],
) -> dict[str, list[dict[str, Any]]]:
    """Tensor name -> what its encoding must be, for onnxruntime's quantizer; ``ranges`` are those of its tensors."""
    from onnxruntime.quantization import QuantType

    overrides: dict[str, list[dict[str, Any]]] = {}
    constants = {item.name: item for item in model.graph.initializer}
    bits = weight_type(plan)
    left = set(float_nodes)
    for node in model.graph.node:
        if node.name in left:
            continue
        if node.op_type == "LayerNormalization" and len(node.input) > 1 and node.input[1] in constants:
            # QNN refuses a scale of one encoding a channel, and a signed one.
            overrides[node.input[1]] = [{"quant_type": QuantType.QUInt8, "symmetric": False}]
        if node.op_type == "MatMul" and plan.per_channel and (weight := constants.get(node.input[1])):
            # onnxruntime's configuration gives one encoding to all; QAIRT takes one for each column, 10 dB better.
            axis = len(weight.dims) - 1
            if axis >= 1 and weight.dims[axis] > 1:
                overrides[weight.name] = [{"quant_type": bits, "axis": axis, "symmetric": True}]
    nodes = plan.higher if plan.activation_bits == 8 else ()
    higher = higher_tensors(model, nodes)
    for name in (*higher, *wide_constants(model, nodes)):
        overrides[name] = [{"quant_type": QuantType.QUInt16}]
    for node in model.graph.node:
        wide = plan.activation_bits == 16 or (node.output and node.output[0] in higher)
        if node.op_type == "HardSigmoid" and wide and node.name not in left:
            # QAIRT stores it with this scale whatever the graph says, as Sigmoid's: what is read of it is right then.
            scale, zero = np.array(2.0**-16, np.float32), np.array(0, np.uint16)
            overrides[node.output[0]] = [{"quant_type": QuantType.QUInt16, "scale": scale, "zero_point": zero}]
    for name, high in _flat_softmaxes(model, left, ranges):
        # onnxruntime gives every softmax the range from 0 to 1: 34 dB with 3,072 places, and 71 with its own.
        kind = QuantType.QUInt16 if plan.activation_bits == 16 or name in higher else QuantType.QUInt8
        overrides[name] = [{"quant_type": kind, "rmin": np.float32(0.0), "rmax": np.float32(high)}]
    return overrides


def _flat_softmaxes(
    model: onnx.ModelProto, left: Set[str], ranges: Mapping[str, tuple[float, float]]
) -> Iterator[tuple[str, float]]:
    """(output, end of its range) of every softmax without a mask that spreads over many places."""
    producers = {name: node.op_type for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        if node.op_type != "Softmax" or node.name in left or producers.get(node.input[0]) in _MASKING:
            continue
        high = ranges.get(node.output[0], (0.0, 1.0))[1] * _SOFTMAX_ROOM
        if 0 < high < 1:
            yield node.output[0], high


def encodings_of(model: onnx.ModelProto) -> dict[str, TensorEncoding]:
    """Activations of a quantized graph by the float graph's names."""
    constants = {item.name: item for item in model.graph.initializer}
    encodings = {}
    for node in model.graph.node:
        if node.op_type != "QuantizeLinear" or node.input[1] not in constants:
            continue
        scale, zero = (numpy_helper.to_array(constants[name]) for name in node.input[1:3])
        if scale.size == 1:
            # A graph output's own name is behind the pair; the tensor before it has another.
            name = node.input[0].removesuffix("_QuantizeLinear_Input")
            encodings[name] = TensorEncoding(name, zero.dtype.name, float(scale.ravel()[0]), int(zero.ravel()[0]))
    return encodings


def derived_nodes(
    source: onnx.ModelProto, result: onnx.ModelProto, prepared: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Every node of ``result`` -> the nodes of ``source`` that it stands for.

    A Q or DQ node stands for what made its tensor, at the graph's inputs and at weights for what takes it. An
    activation that became part of the range of the node before it goes to that node.
    """
    names = {node.name for node in source.graph.node}
    producers = {name: node for node in result.graph.node for name in node.output}
    consumers: dict[str, list[onnx.NodeProto]] = {}
    for node in result.graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    derived: dict[str, tuple[str, ...]] = {}
    for node in result.graph.node:
        if node.name in prepared:
            derived[node.name] = prepared[node.name]
        elif node.name in names:
            derived[node.name] = (node.name,)
    sources_of_all = {name for sources in derived.values() for name in sources}
    for node in source.graph.node:
        if node.name in sources_of_all or not node.output:
            continue
        producer = _through(
            producers.get(f"{node.output[0]}_QuantizeLinear_Input") or producers.get(node.output[0]), producers
        )
        if producer is not None and producer.name in derived:
            derived[producer.name] = (*derived[producer.name], node.name)
    for node in result.graph.node:
        if node.name not in derived:
            producer = _through(node, producers)
            if producer is not None:
                derived[node.name] = derived.get(producer.name, ())
            else:
                derived[node.name] = tuple(
                    dict.fromkeys(
                        name for consumer in _behind(node, consumers) for name in derived.get(consumer.name, ())
                    )
                )
    return derived


def _through(node: onnx.NodeProto | None, producers: Mapping[str, onnx.NodeProto]) -> onnx.NodeProto | None:
    """The node itself, or what stands before the Q and DQ nodes that it is one of."""
    while node is not None and node.op_type in _QDQ:
        node = producers.get(node.input[0])
    return node


def _behind(node: onnx.NodeProto, consumers: Mapping[str, list[onnx.NodeProto]]) -> list[onnx.NodeProto]:
    nodes = []
    for name in node.output:
        for consumer in consumers.get(name, ()):
            nodes += _behind(consumer, consumers) if consumer.op_type in _QDQ else [consumer]
    return nodes
