"""Constants of attention masks that only have to be far enough: limited to what the softmax behind them needs.

A mask of ``finfo.min`` or -inf, added to scores of ±5, takes the whole range of the sum: of 16 bits none is left for
the scores (a BERT layer on QCS6490: 8 dB; with -1e4 37 dB). Scores are masked when the sum of their
exp(mask + score - maximum) is less than half a step of the softmax's output. With n scores within ±m that holds from
-(2 m + ln(2 n 2^bits)) on, whether the constant is added to the scores or stands in their place.

Rows that are masked as a whole differ: there the weights of the original depend on how fp32 rounds the constant.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import onnx

from aipc.graph.index import Graph

_MOVES = {"Cast", "Expand", "Identity", "Reshape", "Slice", "Squeeze", "Tile", "Transpose", "Unsqueeze"}
_FAR = -1e3
"""Scores of trained attention stay within a few tens; what is beyond this is a mask."""
_UNKNOWN_ROW = 4096


def limit_far_constants(graph: Graph, ranges: dict[str, tuple[float, float]], keep: frozenset[str], bits: int) -> int:
    """Limit the constants in the model and the ranges of what is computed from them, in place.

    Args:
        ranges: tensor -> (low, high) of the calibration data; entries behind limited constants change.
        keep: nodes that stay in float.
        bits: of the activations.

    Returns:
        The number of constants that were limited.
    """
    inside = _only_read_by_softmax(graph, keep)
    far = {
        name: array
        for name in graph.constants
        if (array := graph.array(name)) is not None
        and array.dtype.kind == "f"
        and any(_enters(graph, node, name, inside, ranges) for node in graph.consumers.get(name, ()))
        and bool((array <= _FAR).any())
    }
    if not far:
        return 0
    scores = _largest_score(graph, inside, ranges)
    limit = -(2 * scores + math.log(2.0 * _longest_row(graph) * 2.0**bits))
    limited = {name: array for name, array in far.items() if bool((array < limit).any())}
    reached: dict[str, None] = {}
    for name, array in limited.items():
        fresh = graph.add_constant(f"{name}_limited", np.maximum(array, np.asarray(limit, array.dtype)))
        for node in graph.consumers.get(name, ()):
            if _enters(graph, node, name, inside, ranges):
                _exchange(node, name, fresh)
                reached.update(dict.fromkeys(node.output))
    _limit_ranges(graph, ranges, inside, reached, limit, scores)
    graph.refresh()
    return len(limited)


def _only_read_by_softmax(graph: Graph, keep: frozenset[str]) -> set[str]:
    """Tensors that are read by nothing but sums, choices and moves on their way to a Softmax."""
    inside: set[str] = set()
    for node in reversed(graph.model.graph.node):
        if node.name in keep:
            continue
        for name in node.output:
            consumers = graph.consumers.get(name, [])
            if name not in graph.outputs and consumers and all(_leads_in(item, name, inside) for item in consumers):
                inside.add(name)
    return inside


def _leads_in(node: onnx.NodeProto, name: str, inside: set[str]) -> bool:
    if node.op_type == "Softmax":
        return True
    places = [place for place, item in enumerate(node.input) if item == name]
    if not node.output or node.output[0] not in inside:
        return False
    if node.op_type in {"Add", "Sub"}:
        return node.op_type == "Add" or places == [0]
    if node.op_type == "Where":
        return 0 not in places
    return node.op_type in _MOVES and places == [0]


def _enters(
    graph: Graph, node: onnx.NodeProto, name: str, inside: set[str], ranges: Mapping[str, tuple[float, float]]
) -> bool:
    """Whether a node brings the values of a constant into the way to a Softmax, as they are or times 0 to 1."""
    if not node.output or (node.output[0] not in inside and node.op_type != "Softmax"):
        return False
    if node.op_type == "Mul":
        other = next((item for item in node.input if item != name), "")
        low, high = _range(graph, other, ranges)
        return low >= 0.0 and high <= 1.0 + 1e-6
    return _leads_in(node, name, inside)


def _range(graph: Graph, name: str, ranges: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    array = graph.array(name)
    if array is not None and array.size:
        return float(array.min()), float(array.max())
    return ranges.get(name, (-math.inf, math.inf))


def _largest_score(graph: Graph, inside: set[str], ranges: Mapping[str, tuple[float, float]]) -> float:
    """The largest magnitude that the scores of any softmax have beside their masks."""
    largest = 1.0
    for node in graph.model.graph.node:
        if not node.output or node.output[0] not in inside or node.op_type not in {"Add", "Sub", "Where"}:
            continue
        for name in node.input[1:] if node.op_type == "Where" else node.input:
            low, high = _range(graph, name, ranges)
            if low > _FAR and high < -_FAR:
                largest = max(largest, abs(low), abs(high))
    return largest


def _longest_row(graph: Graph) -> int:
    """The most values that one softmax adds up: of its last axis, as attention has it."""
    shapes = [graph.shapes.get(node.input[0], ()) for node in graph.model.graph.node if node.op_type == "Softmax"]
    return max((max(shape) if shape else _UNKNOWN_ROW for shape in shapes), default=_UNKNOWN_ROW)


def _limit_ranges(
    graph: Graph,
    ranges: dict[str, tuple[float, float]],
    inside: set[str],
    reached: Mapping[str, None],
    limit: float,
    scores: float,
) -> None:
    """The ranges of what the limited constants reach: sums have the scores on top."""
    behind = set(reached)
    sums: set[str] = set()
    for node in graph.model.graph.node:
        if node.output and node.output[0] in inside and behind.intersection(node.input):
            behind.add(node.output[0])
            if node.op_type in {"Add", "Sub"} or sums.intersection(node.input):
                sums.add(node.output[0])
    for name in behind & set(ranges):
        # Of a tensor with -inf nothing is known; where no sample masked anything, others will.
        high = max(min(ranges[name][1], scores), scores if name in sums else 0.0)
        ranges[name] = (limit - scores if name in sums else limit, high)


def _exchange(node: onnx.NodeProto, old: str, new: str) -> None:
    for place, name in enumerate(node.input):
        if name == old:
            node.input[place] = new
