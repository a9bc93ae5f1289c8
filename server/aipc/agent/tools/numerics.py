"""Each node's own numbers on the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipc.debug import worker_jobs as debug_jobs
from aipc.debug.types import Localization
from aipc.numerics.types import Verdict
from aipc.pipeline.artifacts import GraphPlacement
from aipc.pipeline.stages.placement import judge_soc

from ._tool import AgentTool, Context, WrongCall, shortened, tool

_SECONDS = 60.0


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    run = context.checked.run
    if run is None or GraphPlacement not in run.artifacts:
        raise WrongCall("there is no graph: the model is not captured")
    localization: Localization = run.job(
        debug_jobs.LOCALIZE,
        model=str(run.float_graph.graph),
        inputs_npz=str(run.captured.inputs),
        soc=judge_soc(run),
        divergence=True,
        seconds=_SECONDS,
    )
    bad = [node for node in localization.nodes if node.verdict in {Verdict.WRONG, Verdict.ROUNDING}]
    lines = [f"{len(localization.nodes)} nodes measured, {len(bad)} of them far from fp32"]
    for node in bad:
        lines.append(
            f"{node.node} ({node.op_type}) {node.verdict.value}: SQNR {_decibels(node.sqnr_db)}, correctly rounded "
            f"fp16 {_decibels(node.ideal_fp16_sqnr_db)}; for example {node.actual} instead of {node.expected}"
        )
    if divergence := localization.divergence:
        lines.append(f"the whole graph first leaves fp32 at {divergence.node} ({divergence.sqnr_db:.1f} dB)")
    return shortened("\n".join(lines))


TOOL = AgentTool(
    tool(
        "numerics", "Compare each node on the simulator with fp32 given true inputs, and where the graph diverges.", {}
    ),
    _run,
)


def _decibels(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1f} dB"
