"""Reduce the graph to the smallest part that still fails."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from aipc.core.errors import QairtError
from aipc.debug import worker_jobs as debug_jobs
from aipc.debug.types import Reduction
from aipc.pipeline.artifacts import GraphPlacement
from aipc.pipeline.stages.placement import judge_soc

from ._tool import AgentTool, Context, WrongCall, shortened, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    run = context.checked.run
    failure = arguments.get("failure", "compile")
    if run is None or GraphPlacement not in run.artifacts:
        raise WrongCall("there is no graph: the model is not captured")
    if failure not in {"compile", "numbers"}:
        raise WrongCall("failure is compile or numbers")
    # Numbers are held against fp32 node by node, which takes the float graph.
    whole = failure == "compile"
    out = context.bench.private / "reduced" / secrets.token_hex(4)
    out.mkdir(parents=True)
    try:
        reduction: Reduction = run.job(
            debug_jobs.REDUCE,
            model=str((run.deployed_graph if whole else run.float_graph).graph),
            inputs_npz=str(run.captured.inputs),
            soc=run.request.soc if whole else judge_soc(run),
            out=str(out),
            failure=failure,
            start=tuple(context.target.nodes) if context.target else (),
            seconds=60.0,
        )
    except QairtError as error:
        return f"no part of the graph fails by {failure}: {error}"
    report = context.checked.placement
    types = {node.node: node.op_type for node in report.nodes} if report else {}
    listed = "\n".join(f"{name} ({types.get(name, '?')})" for name in reduction.nodes)
    return shortened(f"{len(reduction.nodes)} of {reduction.original_nodes} nodes still fail together:\n{listed}")


TOOL = AgentTool(
    tool(
        "reduce",
        "Bisect the graph to the smallest part that does not compile, or whose numbers are wrong on the simulator.",
        {"failure": {"type": "string", "description": "compile or numbers"}},
    ),
    _run,
)
