"""A scale and a shift for each channel behind a convolution, made part of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from aipc.graph.index import Graph, attribute

Array = np.ndarray[Any, Any]


def folds_into(graph: Graph, node: onnx.NodeProto | None, keep: frozenset[str]) -> bool:
    """Whether ``node`` is a convolution of constant weights whose output goes to one node alone."""
    if node is None or node.op_type not in {"Conv", "ConvTranspose"} or node.name in keep:
        return False
    constants = [node.input[1], *filter(None, node.input[2:])]
    return graph.sole_consumer(node.output[0]) is not None and all(graph.array(name) is not None for name in constants)


def channels_of(graph: Graph, convolution: onnx.NodeProto) -> int:
    """How many channels a convolution makes."""
    shape = _array(graph, convolution.input[1]).shape
    return int(shape[0] if convolution.op_type == "Conv" else shape[1] * attribute(convolution, "group", 1))


def fold_into(
    graph: Graph, convolution: onnx.NodeProto, node: onnx.NodeProto, scale: Array | None, shift: Array | None
) -> None:
    """Multiply the channels of ``convolution`` by ``scale``, add ``shift``, and let it take the place of ``node`` too.

    Args:
        convolution: one that ``folds_into`` has found fit.
        scale, shift: [channels]; None leaves the weights as they are, and adds nothing.
    """
    weight = _array(graph, convolution.input[1])
    has_bias = len(convolution.input) > 2 and bool(convolution.input[2])
    bias = _array(graph, convolution.input[2]) if has_bias else np.zeros(channels_of(graph, convolution), np.float32)
    if scale is not None:
        weight, bias = _scaled(convolution, weight, scale), bias * scale
    if shift is not None:
        bias = bias + shift
    fused = onnx.NodeProto()
    fused.CopyFrom(convolution)
    del fused.input[1:]
    fused.input.append(graph.add_constant(f"{convolution.name}_weight_folded", weight.astype(np.float32)))
    fused.input.append(graph.add_constant(f"{convolution.name}_bias_folded", bias.astype(np.float32)))
    fused.output[0] = node.output[0]
    graph.replace([convolution, node], [fused])


def _array(graph: Graph, name: str) -> Array:
    array = graph.array(name)
    assert array is not None
    return array


def _scaled(convolution: onnx.NodeProto, weight: Array, scale: Array) -> Array:
    if convolution.op_type == "Conv":
        return np.asarray(weight * scale.reshape(-1, *[1] * (weight.ndim - 1)))
    groups = attribute(convolution, "group", 1)
    each = scale.reshape(groups, -1).repeat(weight.shape[0] // groups, axis=0)
    return np.asarray(weight * each.reshape(*weight.shape[:2], *[1] * (weight.ndim - 2)))
