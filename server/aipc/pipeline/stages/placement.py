"""Ask QAIRT where every node runs."""

from __future__ import annotations

from pathlib import Path

from aipc.core.types import Placement
from aipc.qairt import worker_jobs as qairt_jobs
from aipc.qairt.soc import float_soc, get_soc

from ..artifacts import CapturedGraph, GraphPlacement
from ..build import Build
from ..run import Run
from ..stage import Stage


def _key(build: Build) -> object:
    return [build.captured.digest, judge_soc(build), _precision(build), build.request.finalize]


def _precision(build: Build) -> str:
    """The captured graph is float, also where it is going to be quantized."""
    return "fp16" if build.variant.is_quantized else build.precision


def judge_soc(build: Build) -> str:
    """The SoC that the float graph is judged for: another one where the NPU has integers only."""
    soc = get_soc(build.request.soc)
    return float_soc(soc).part if build.variant.is_quantized else soc.part


def _place(run: Run, out: Path) -> GraphPlacement:
    report = run.job(
        qairt_jobs.PLACE,
        model=str(run.captured.graph),
        soc=judge_soc(run),
        precision=_precision(run),
        out=str(out),
        full=run.request.finalize,
    )
    return GraphPlacement(report=report)


def _note(build: Build, placement: GraphPlacement) -> str:
    report = placement.report
    counts = ", ".join(f"{report.count(place)} {place.value}" for place in Placement)
    return f"{counts}; {report.npu_partitions} NPU partition{'s' * (report.npu_partitions != 1)}"


# No gate: what QAIRT refuses is no failure yet. The next stage rewrites what it can and judges what is left.
STAGE = Stage(
    name="placement",
    order=30,
    version=3,
    artifact=GraphPlacement,
    needs=(CapturedGraph,),
    key=_key,
    make=_place,
    note=_note,
)
