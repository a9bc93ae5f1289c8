"""Means of squares, and what is divided by them: 16 bits in an 8-bit graph.

A square has twice the reach of what it is the square of, in decibels: of a picture at a tenth of the contrast 8 bits
keep two or three steps of the squares, and of their mean as much. Divided by that, the whole tensor is off by the same
share (LPRNet's context on a picture of low contrast: 6.7 dB, with these nodes at 16 bits 25). A normalization that is
one operator keeps all of it inside.
"""

from __future__ import annotations

import onnx

from aipc.graph.index import Graph

_MEANS = {"ReduceMean", "ReduceSum", "GlobalAveragePool", "AveragePool"}
_NORMS = {"ReduceL2", "ReduceSumSquare"}
_AFTER = {
    "Abs",
    "Add",
    "Clip",
    "Div",
    "Expand",
    "Identity",
    "Max",
    "Mul",
    "Pow",
    "Reciprocal",
    "Reshape",
    "Sqrt",
    "Squeeze",
    "Unsqueeze",
}
"""What may stand between the mean and the division, with constants beside it."""


def square_norms(graph: Graph, keep: frozenset[str]) -> tuple[str, ...]:
    """The nodes of every division, or product, of a tensor by what a mean of squares became.

    Args:
        keep: nodes that are in float.
    """
    names: list[str] = []
    for node in graph.model.graph.node:
        first = _starts(graph, node)
        if not first or keep.intersection(first):
            continue
        for chain in _ends(graph, node.output[0], ()):
            names += [*first, *chain]
    return tuple(dict.fromkeys(names))


def _starts(graph: Graph, node: onnx.NodeProto) -> list[str]:
    """The nodes of a mean of squares that ends in ``node``; nothing where it is none."""
    if node.op_type in _NORMS:
        return [node.name]
    if node.op_type not in _MEANS:
        return []
    producer = graph.producers.get(node.input[0])
    return [producer.name, node.name] if producer is not None and _is_square(graph, producer) else []


def _is_square(graph: Graph, node: onnx.NodeProto) -> bool:
    if node.op_type == "Mul":
        return bool(node.input[0] == node.input[1])
    power = graph.array(node.input[1]) if node.op_type == "Pow" else None
    return power is not None and power.size == 1 and float(power.ravel()[0]) == 2.0


def _ends(graph: Graph, tensor: str, before: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The ways from ``tensor`` to a division of, or a product with, another tensor that is no constant."""
    paths = []
    for consumer in graph.consumers.get(tensor, ()):
        others = [name for name in consumer.input if name and name != tensor and name not in graph.constants]
        if consumer.op_type in {"Div", "Mul"} and others:
            paths.append((*before, consumer.name))
        elif consumer.op_type in _AFTER and not others:
            paths += _ends(graph, consumer.output[0], (*before, consumer.name))
    return paths
