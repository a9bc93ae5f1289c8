"""Equalize the channels between two layers: divide each by a factor in the first, multiply it back in the next.

One scale serves all channels of a tensor, so a channel that reaches far leaves the others a few steps. Where a layer's
outputs go through nothing but a ReLU or a maximum, a factor for each channel moves from the activations into the
weights of the next layer and the model computes the same (Nagel et al., "Data-Free Quantization", arXiv:1906.04721).
The weights of the first layer have a scale a channel and do not mind; so the factor weighs the reach of the
activations, as calibration saw it, against that of the next weights (Xiao et al., "SmoothQuant", arXiv:2211.10438).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from aipc.graph.index import Graph, attribute
from aipc.quantize.calibrate.moments import Layer, Moments, layers_of

Array = np.ndarray[Any, Any]

_THROUGH = {"Relu", "MaxPool", "Identity"}
_LEAST = 1e-3
"""Of the largest: a channel that nothing listens to, or that holds nothing, is treated as if it had this much."""
_MOST = 1024.0
"""A channel is moved so far at the most."""


@dataclass(frozen=True, slots=True)
class _Link:
    """``source`` makes a tensor that reaches ``layers`` through ``tensors``, the last of which they take."""

    source: onnx.NodeProto
    tensors: tuple[str, ...]
    layers: tuple[Layer, ...]


def equalize(
    graph: Graph, ranges: dict[str, tuple[float, float]], moments: Mapping[str, Moments], keep: frozenset[str]
) -> tuple[dict[str, Moments], int]:
    """Equalize all links of ``graph``; the moments as they are then, and how many links that were.

    Args:
        ranges: of the activations; those of the tensors between are replaced.
        keep: nodes that are left alone.
    """
    changed = dict(moments)
    links = _links(graph, keep)
    count = 0
    for link in links:
        moments_of_layers = [changed[layer.node] for layer in link.layers if layer.node in changed]
        if len(moments_of_layers) != len(link.layers) or any(not item.low.size for item in moments_of_layers):
            continue
        low, high = moments_of_layers[0].low, moments_of_layers[0].high
        factor = _factors(np.maximum(-low, high), _reach(graph, link.layers, low.size))
        if factor is None or not _divide(graph, link.source, factor):
            continue
        for layer in link.layers:
            _multiply(graph, layer, factor)
            changed[layer.node] = _moved(changed[layer.node], layer, factor)
        for name in link.tensors:
            ends = float((low / factor).min()), float((high / factor).max())
            ranges[name] = min(ends[0], 0.0), max(ends[1], 0.0)
        count += 1
    return changed, count


def _links(graph: Graph, keep: frozenset[str]) -> list[_Link]:
    known = {layer.node: layer for layer in layers_of(graph.model)}
    by_tensor: dict[str, list[Layer]] = {}
    for layer in known.values():
        by_tensor.setdefault(layer.tensor, []).append(layer)
    links = []
    for tensor, layers in by_tensor.items():
        consumers = graph.consumers.get(tensor, [])
        if tensor in graph.outputs or {consumer.name for consumer in consumers} != {layer.node for layer in layers}:
            continue
        if any(len(graph.consumers[consumer.input[1]]) != 1 for consumer in consumers):
            continue
        tensors = [tensor]
        source = graph.producers.get(tensor)
        while source is not None and source.op_type in _THROUGH and graph.sole_consumer(source.input[0]) is not None:
            tensors.insert(0, source.input[0])
            source = graph.producers.get(source.input[0])
        nodes = {layer.node for layer in layers} | ({source.name} if source is not None else set())
        if source is not None and not nodes & keep:
            links.append(_Link(source, tuple(tensors), tuple(layers)))
    return links


def _reach(graph: Graph, layers: tuple[Layer, ...], channels: int) -> Array:
    """The largest weight that any of the layers has for each channel of their input."""
    return np.asarray(np.max([_by_channel(graph, layer, channels) for layer in layers], axis=0))


def _by_channel(graph: Graph, layer: Layer, channels: int) -> Array:
    weight = np.abs(_weight(graph, layer))
    if layer.op == "Conv":
        # [outputs, channels of a group, kernel] -> [groups, outputs of a group, channels of a group].
        grouped = weight.reshape(layer.groups, -1, *weight.shape[1:]).max(axis=(1, 3, 4))
        return np.asarray(grouped.reshape(channels))
    return np.asarray(weight.max(axis=0 if layer.transposed else 1))


def _weight(graph: Graph, layer: Layer) -> Array:
    weight = graph.array(_node(graph, layer).input[1])
    assert weight is not None
    return weight


def _node(graph: Graph, layer: Layer) -> onnx.NodeProto:
    return next(node for node in graph.consumers[layer.tensor] if node.name == layer.node)


def _factors(activations: Array, weights: Array) -> Array | None:
    """What each channel is divided by: its own reach against that of the weights behind; None where all are alike."""
    if not (activations.max() > 0 and weights.max() > 0):
        return None
    reach = np.maximum(activations / activations.max(), _LEAST)
    factor = np.sqrt(reach / np.maximum(weights / weights.max(), _LEAST))
    factor = factor / np.exp(np.log(factor).mean())
    factor = np.clip(factor, 1 / _MOST, _MOST)
    return factor if factor.max() > 1.05 * factor.min() else None


def _divide(graph: Graph, source: onnx.NodeProto, factor: Array) -> bool:
    """Divide the channels that ``source`` makes; False where it has no constants of its own for that."""
    if source.op_type == "Add":
        return _divide_sum(graph, source, factor)
    places = {"Conv": (1, 2), "ConvTranspose": (1, 2), "Gemm": (1, 2), "MatMul": (1,), "LayerNormalization": (1, 2)}
    names = [source.input[place] for place in places.get(source.op_type, ()) if place < len(source.input)]
    arrays = [graph.array(name) for name in names if name]
    if (
        not arrays
        or any(item is None for item in arrays)
        or any(len(graph.consumers[name]) != 1 for name in names if name)
    ):
        return False
    divided = []
    for place, array in enumerate(arrays):
        assert array is not None
        axis = _output_axis(source, array.ndim) if place == 0 else array.ndim - 1
        if axis is None or array.shape[axis] != factor.size:
            return False
        divided.append(array / factor.reshape(-1, *[1] * (array.ndim - 1 - axis)))
    for name, value in zip(filter(None, names), divided, strict=True):
        _set(graph, name, value)
    return True


def _output_axis(source: onnx.NodeProto, rank: int) -> int | None:
    if source.op_type == "Conv":
        return 0
    if source.op_type == "ConvTranspose":
        return 1 if attribute(source, "group", 1) == 1 else None
    if source.op_type == "Gemm":
        plain = attribute(source, "beta", 1.0) == 1.0
        return (0 if attribute(source, "transB", 0) else 1) if plain else None
    if source.op_type == "MatMul" and rank < 2:
        return None
    return rank - 1


def _divide_sum(graph: Graph, add: onnx.NodeProto, factor: Array) -> bool:
    """A product with constant weights and its bias, in either order."""
    for product, bias in ((0, 1), (1, 0)):
        maker = graph.producers.get(add.input[product])
        values = graph.array(add.input[bias])
        if maker is None or maker.op_type != "MatMul" or values is None or values.shape != factor.shape:
            continue
        if len(graph.consumers[add.input[bias]]) != 1 or graph.sole_consumer(add.input[product]) is None:
            continue
        if _divide(graph, maker, factor):
            _set(graph, add.input[bias], values / factor)
            return True
    return False


def _multiply(graph: Graph, layer: Layer, factor: Array) -> None:
    weight = _weight(graph, layer)
    if layer.op == "Conv":
        each = factor.reshape(layer.groups, 1, weight.shape[1], 1, 1)
        result = (weight.reshape(layer.groups, -1, *weight.shape[1:]) * each).reshape(weight.shape)
    else:
        result = weight * (factor if layer.transposed else factor[:, None])
    _set(graph, _node(graph, layer).input[1], result)


def _moved(moments: Moments, layer: Layer, factor: Array) -> Moments:
    kernel = int(np.prod(layer.kernel)) if layer.kernel else 1
    each = np.repeat(factor, kernel).reshape(layer.groups, layer.size).astype(np.float32)
    return replace(
        moments,
        first=moments.first / each,
        second=moments.second / (each[:, :, None] * each[:, None, :]),
        low=moments.low / factor,
        high=moments.high / factor,
    )


def _set(graph: Graph, name: str, array: Array) -> None:
    graph.constants[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
