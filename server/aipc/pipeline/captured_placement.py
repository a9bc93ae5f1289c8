"""Where the captured nodes run, by what each of them became."""

from __future__ import annotations

from dataclasses import replace

from aipc.core.types import NodePlacement, Placement, PlacementReport

from .artifacts import GraphPlacement
from .build import Build

_WORST = {Placement.NPU: 0, Placement.CPU: 1, Placement.FAILS: 2}


def captured_placement(build: Build) -> PlacementReport | None:
    """Of the quantized graph where there is one, else as it was captured; None where nothing was placed yet.

    A captured node is where the worst of what it became is.
    """
    placement = build.artifacts.get(GraphPlacement)
    before, quantized = placement.report if placement else None, build.quantized
    if before is None or quantized is None or quantized.placement is None:
        return before
    nodes_by_name: dict[str, NodePlacement] = {}
    for node in quantized.placement.nodes:
        for captured in build.provenance.sources((node.node,)):
            known = nodes_by_name.get(captured)
            if known is None or _WORST[node.placement] > _WORST[known.placement]:
                nodes_by_name[captured] = node
    nodes = tuple(
        replace(nodes_by_name[item.node], node=item.node, op_type=item.op_type)
        if item.node in nodes_by_name
        else replace(item, placement=Placement.NPU, reason=None)
        for item in before.nodes
    )
    return replace(quantized.placement, nodes=nodes)
