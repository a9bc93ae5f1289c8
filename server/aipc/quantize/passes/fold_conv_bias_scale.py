"""Copies, and constants for each channel behind a convolution: nodes that cost a quantized graph a rounding each.

Other exporters write a convolution's bias as an Add behind it and copies (Identity) between everything. In fp32 none of
that changes a number; in integers each of these nodes has an encoding of its own, the bias with a few steps among them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from aipc.graph.index import Graph

from ._convolutions import channels_of, fold_into, folds_into

Array = np.ndarray[Any, Any]


def drop_copies(graph: Graph, keep: frozenset[str]) -> int:
    """Take Identity nodes out; how many that were. One between a graph input or a constant and an output stays."""
    dropped = 0
    for node in [node for node in graph.model.graph.node if node.op_type == "Identity" and node.name not in keep]:
        source, copy = node.input[0], node.output[0]
        maker = graph.producers.get(source)
        if copy in graph.outputs and (maker is None or source in graph.outputs):
            continue
        heirs = [maker] if maker is not None else graph.consumers.get(copy, [])
        for heir in heirs:
            graph.derived[heir.name] = tuple(dict.fromkeys((*graph.sources(heir.name), *graph.sources(node.name))))
        old, new = (source, copy) if copy in graph.outputs else (copy, source)
        graph.model.graph.node.remove(node)
        for other in graph.model.graph.node:
            other.input[:] = [new if name == old else name for name in other.input]
            other.output[:] = [new if name == old else name for name in other.output]
        graph.refresh()
        dropped += 1
    return dropped


def fold_affine(graph: Graph, keep: frozenset[str]) -> int:
    """Make products with, quotients by, and sums of, constants behind a convolution part of it; how many that were."""
    folded = 0
    for node in list(graph.model.graph.node):
        if node.op_type in {"Add", "Mul", "Div"} and node.name not in keep:
            folded += _into_convolution(graph, node, keep)
    return folded


def _into_convolution(graph: Graph, node: onnx.NodeProto, keep: frozenset[str]) -> bool:
    for place in (0,) if node.op_type == "Div" else (0, 1):
        before, constant = graph.producers.get(node.input[place]), graph.array(node.input[1 - place])
        if before is None or constant is None or not folds_into(graph, before, keep):
            continue
        rank = len(graph.constants[before.input[1]].dims)
        values = _by_channel(constant, channels_of(graph, before), rank)
        if values is None:
            continue
        scale, shift = (None, values) if node.op_type == "Add" else (values, None)
        if scale is not None and node.op_type == "Div":
            scale = 1 / scale.astype(np.float64)
        fold_into(graph, before, node, scale, shift)
        return True
    return False


def _by_channel(constant: Array, channels: int, rank: int) -> Array | None:
    """A constant that is one value for each channel of a tensor of ``rank`` dimensions; None where it is more."""
    shape = (1,) * (rank - constant.ndim) + constant.shape
    if len(shape) != rank or any(size != 1 for axis, size in enumerate(shape) if axis != 1):
        return None
    return np.broadcast_to(constant.ravel(), channels) if shape[1] in {1, channels} else None
