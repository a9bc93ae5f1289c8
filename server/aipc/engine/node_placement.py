"""Placement: where each node of a model runs, on which expression it stands, and QAIRT's reason."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aipc.core import plain_data
from aipc.core.requests import CheckRequest
from aipc.core.types import Placement, Range, SourceMap
from aipc.core.workers import WorkerPool

from ._run import OnEvent
from .checking import check


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """``ranges``: the author's expressions that made the node; ``module``: dotted path of the module it ran in."""

    node: str
    op_type: str
    placement: Placement
    reason: str | None
    qnn_ops: tuple[str, ...]
    ranges: tuple[Range, ...]
    module: str


@dataclass(frozen=True, slots=True)
class PlacementAnswer:
    model: str
    soc: str
    precision: str
    qairt: str
    nodes: int
    placement: Mapping[str, int]
    partitions: int
    shown: str
    """``all``, or ``off-npu``: those nodes only that are not on the NPU."""
    placed: tuple[PlacedNode, ...]


def placement(
    request: CheckRequest,
    every: bool = False,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> PlacementAnswer:
    """Where a model's nodes run; with ``every``, those on the NPU too.

    Raises:
        AipcError: the check could not be made.
    """
    report = check(request, pool, on_event, cancel)
    sources = SourceMap()
    if report.source_map:
        sources = plain_data.loads(Path(report.source_map).read_text("utf-8"), SourceMap)
    placed = []
    for node in report.node_placements:
        if not every and node.placement is Placement.NPU:
            continue
        origins = sources.origins(node.node)
        ranges = tuple(dict.fromkeys(item.user_frame.range for item in origins if item.user_frame))
        module = origins[0].module_path if origins else ""
        placed.append(PlacedNode(node.node, node.op_type, node.placement, node.reason, node.qnn_ops, ranges, module))
    return PlacementAnswer(
        report.model,
        report.soc,
        report.precision,
        report.qairt,
        report.nodes,
        report.placement,
        report.partitions,
        "all" if every else "off-npu",
        tuple(placed),
    )
