"""How the nodes on the CPU cut the NPU part of a graph into pieces, and what crosses the cuts."""

from __future__ import annotations

import math
from collections.abc import Mapping

import onnx

from aipc.core.types import Cut, Placement


def partitions(model: onnx.ModelProto, placement: Mapping[str, Placement]) -> tuple[int, tuple[Cut, ...]]:
    """Number of NPU partitions, and for each node off the NPU that separates two of them its traffic in bytes.

    A partition is a maximal set of NPU nodes that can run without waiting for the CPU in between: nodes are grouped
    by how many changes of processor lie before them.
    """
    level: dict[str, int] = {}
    groups: set[int] = set()
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        on_npu = placement.get(node.name) is Placement.NPU
        for name in node.input:
            readers.setdefault(name, []).append(node)
        before = max((level[name] for name in node.input if name in level), default=0)
        # Even levels are the NPU's, odd ones the CPU's.
        here = before + (before % 2 != (0 if on_npu else 1))
        if on_npu:
            groups.add(here)
        for name in node.output:
            level[name] = here
    sizes = _sizes(model)
    made_by_npu = {
        name for node in model.graph.node if placement.get(node.name) is Placement.NPU for name in node.output
    }
    cuts = []
    for node in model.graph.node:
        if placement.get(node.name) is Placement.NPU:
            continue
        incoming = [name for name in node.input if name in made_by_npu]
        outgoing = [
            name
            for name in node.output
            if any(placement.get(reader.name) is Placement.NPU for reader in readers.get(name, []))
        ]
        if incoming and outgoing:
            cuts.append(Cut(node.name, sum(sizes.get(name, 0) for name in {*incoming, *outgoing})))
    return len(groups), tuple(cuts)


def _sizes(model: onnx.ModelProto) -> dict[str, int]:
    sizes = {}
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            items = math.prod(dim.dim_value for dim in tensor.shape.dim)
            sizes[value.name] = items * onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize
    return sizes
