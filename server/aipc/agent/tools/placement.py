"""Where the nodes of the graph run, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from aipc.core.types import Placement

from ._tool import AgentTool, Context, shortened, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    report = context.checked.placement
    if report is None:
        return "there is no graph: the model is not captured"
    off = [node for node in report.nodes if node.placement is not Placement.NPU]
    counts = Counter(node.op_type for node in report.nodes)
    lines = [f"{len(report.nodes)} nodes, {len(off)} off the NPU: " + ", ".join(f"{k} {v}x" for k, v in counts.items())]
    lines += [
        f"{node.node} ({node.op_type}) {node.placement.value}: {node.reason or 'no reason given'}" for node in off
    ]
    return shortened("\n".join(lines))


TOOL = AgentTool(tool("placement", "Where each operator of the captured graph runs, and why not on the NPU.", {}), _run)
