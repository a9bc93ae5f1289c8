"""Copies, and constants for each channel behind a convolution: nodes that cost a quantized graph a rounding each.

Other exporters write a convolution's bias as an Add behind it and copies (Identity) between everything. In fp32 none of
that changes a number; in integers each of these nodes has an encoding of its own, the bias with a few steps among them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from .graph import Graph, attribute

Array = np.ndarray[Any, Any]


def drop_copies(graph: Graph, keep: frozenset[str]) -> int:
    """Take Identity nodes out; how many that were. One between a graph input or a constant and an output stays."""
    dropped = 0
    for node in [node for node in graph.model.graph.node if node.op_type == "Identity" and node.name not in keep]:
        given, copy = node.input[0], node.output[0]
        maker = graph.made.get(given)
        if copy in graph.outputs and (maker is None or given in graph.outputs):
            continue
        heirs = [maker] if maker is not None else graph.takers.get(copy, [])
        for heir in heirs:
            graph.derived[heir.name] = tuple(dict.fromkeys((*graph.sources(heir.name), *graph.sources(node.name))))
        old, new = (given, copy) if copy in graph.outputs else (copy, given)
        graph.model.graph.node.remove(node)
        for other in graph.model.graph.node:
            other.input[:] = [new if name == old else name for name in other.input]
            other.output[:] = [new if name == old else name for name in other.output]
        graph.refresh()
        dropped += 1
    return dropped


def fold_affine(graph: Graph, keep: frozenset[str]) -> int:
    """Make products with, and sums of, constants behind a convolution part of it; how many that were."""
    folded = 0
    for node in list(graph.model.graph.node):
        if node.op_type in {"Add", "Mul"} and node.name not in keep:
            folded += _into_convolution(graph, node, keep)
    return folded


def _into_convolution(graph: Graph, node: onnx.NodeProto, keep: frozenset[str]) -> bool:
    for place in (0, 1):
        before, constant = graph.made.get(node.input[place]), graph.array(node.input[1 - place])
        if before is None or before.op_type not in {"Conv", "ConvTranspose"} or before.name in keep:
            continue
        weight = graph.array(before.input[1])
        if constant is None or weight is None or graph.only_taker(before.output[0]) is None:
            continue
        channels = weight.shape[0] if before.op_type == "Conv" else weight.shape[1] * attribute(before, "group", 1)
        values = _by_channel(constant, channels, weight.ndim)
        has_bias = len(before.input) > 2 and bool(before.input[2])
        bias = graph.array(before.input[2]) if has_bias else np.zeros(channels, np.float32)
        if values is None or bias is None:
            continue
        if node.op_type == "Add":
            _replace(graph, before, node, weight, bias + values)
        else:
            _replace(graph, before, node, _scaled(before, weight, values), bias * values)
        return True
    return False


def _by_channel(constant: Array, channels: int, rank: int) -> Array | None:
    """A constant that is one value for each channel of a tensor of ``rank`` dimensions; None where it is more."""
    shape = (1,) * (rank - constant.ndim) + constant.shape
    if len(shape) != rank or any(size != 1 for axis, size in enumerate(shape) if axis != 1):
        return None
    return np.broadcast_to(constant.ravel(), channels) if shape[1] in {1, channels} else None


def _scaled(convolution: onnx.NodeProto, weight: Array, values: Array) -> Array:
    if convolution.op_type == "Conv":
        return weight * values.reshape(-1, *[1] * (weight.ndim - 1))
    groups = attribute(convolution, "group", 1)
    each = values.reshape(groups, -1).repeat(weight.shape[0] // groups, axis=0)
    return np.asarray(weight * each.reshape(*weight.shape[:2], *[1] * (weight.ndim - 2)))


def _replace(graph: Graph, before: onnx.NodeProto, node: onnx.NodeProto, weight: Array, bias: Array) -> None:
    fused = onnx.NodeProto()
    fused.CopyFrom(before)
    del fused.input[1:]
    fused.input.append(graph.add_constant(f"{before.name}_weight_affine", weight.astype(np.float32)))
    fused.input.append(graph.add_constant(f"{before.name}_bias_affine", bias.astype(np.float32)))
    fused.output[0] = node.output[0]
    graph.replace([before, node], [fused])
