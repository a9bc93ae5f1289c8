"""Ask QAIRT where every node runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.json import from_plain, to_plain
from aipc.core.types import Placement, PlacementReport
from aipc.qairt import worker_jobs as qairt_jobs
from aipc.qairt.soc import float_soc, get_soc

from ..stage import Run, Stage


def _key(run: Run) -> Any:
    request = run.request
    precision = "fp16" if quantized(run) else run.precision
    return [run.meta("capture")["digest"], judge_soc(run), precision, request.finalize]


def quantized(run: Run) -> bool:
    return run.variant.is_quantized


def judge_soc(run: Run) -> str:
    """The SoC that the float graph is judged for: another one where the NPU has integers only."""
    soc = get_soc(run.request.soc)
    return float_soc(soc).part if quantized(run) else soc.part


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    report = run.job(
        qairt_jobs.PLACE,
        model=str(run.path("capture", "model.onnx")),
        soc=judge_soc(run),
        precision="fp16" if quantized(run) else run.precision,
        out=str(out),
        full=run.request.finalize,
    )
    return {"report": to_plain(report)}


def placement_report(run: Run) -> PlacementReport:
    return from_plain(run.meta("placement")["report"], PlacementReport)


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    report = placement_report(run)
    counts = ", ".join(f"{report.count(place)} {place.value}" for place in Placement)
    return f"{counts}; {report.npu_partitions} NPU partition{'s' * (report.npu_partitions != 1)}"


# No gate: what QAIRT refuses is no failure yet. The next stage rewrites what it can and judges what is left.
STAGE = Stage(name="placement", order=30, version=2, key=_key, build=_build, note=_note)
