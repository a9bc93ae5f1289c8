"""One range for what is one state: a cache that a graph takes in, adds to and gives back.

What comes out goes in again at the next step. With a range of its own at each place every step would round it again,
and with integers at the border they would mean something else; with one range the integers stay what they are.
"""

from __future__ import annotations

import onnx

from aipc.graph.index import Graph

_MOVES = {
    "Concat",
    "Expand",
    "Flatten",
    "Identity",
    "Pad",
    "Reshape",
    "ScatterElements",
    "ScatterND",
    "Slice",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
}
_MOVED_INPUTS = {"Concat": None, "ScatterElements": (0, 2), "ScatterND": (0, 2)}
"""Inputs whose values are in the output; of the others the first alone."""


def share_states(
    graph: Graph, ranges: dict[str, tuple[float, float]], keep: frozenset[str]
) -> tuple[tuple[str, str], ...]:
    """Give every state's tensors the range that covers them all; pairs of the inputs and outputs that are one."""
    groups = _groups(graph, keep)
    inputs = [value.name for value in graph.model.graph.input if value.name not in graph.constants]
    pairs: list[tuple[str, str]] = []
    for state in inputs:
        group = groups.get(state, {state})
        states = [
            value.name
            for value in graph.model.graph.output
            if value.name in group and _one_state(graph.shapes.get(state, ()), graph.shapes.get(value.name, ()))
        ]
        if not states or any(state == pair[0] for pair in pairs):
            continue
        pairs += [(state, name) for name in states]
        known = [ranges[name] for name in group if name in ranges]
        if known:
            whole = min(low for low, _ in known), max(high for _, high in known)
            ranges.update(dict.fromkeys(group & ranges.keys(), whole))
    return tuple(pairs)


def _groups(graph: Graph, keep: frozenset[str]) -> dict[str, set[str]]:
    """Tensor -> the tensors that hold the same values, joined by operators that only move them."""
    groups: dict[str, set[str]] = {}
    for node in graph.model.graph.node:
        if node.op_type not in _MOVES or node.name in keep:
            continue
        joined: set[str] = set()
        for name in (*_moved(graph, node), *node.output):
            joined |= groups.get(name, {name})
        for name in joined:
            groups[name] = joined
    return groups


def _moved(graph: Graph, node: onnx.NodeProto) -> list[str]:
    places = _MOVED_INPUTS.get(node.op_type, (0,))
    names = list(node.input) if places is None else [node.input[place] for place in places]
    return [name for name in names if name and name not in graph.constants]


def _one_state(input_shape: tuple[int, ...], returned: tuple[int, ...]) -> bool:
    """Whether an output may be an input of the next step: as large, or grown along one axis."""
    if len(input_shape) != len(returned) or len(input_shape) < 2:
        return False
    grown = [(a, b) for a, b in zip(input_shape, returned, strict=True) if a != b]
    return len(grown) <= 1 and all(a < b for a, b in grown)
