"""Ask QAIRT where every node runs, and say it on the author's expressions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.json import from_plain, to_plain
from aipc.core.types import Gate, Placement, PlacementReport

from ..findings import placement_findings, read_source_map
from ..stage import Run, Stage


def _key(run: Run) -> Any:
    request = run.request
    return [run.meta("capture")["digest"], request.soc, request.precision, request.finalize]


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    report = run.job(
        "aipc.qairt.jobs:place",
        model=str(run.path("capture", "model.onnx")),
        soc=run.request.soc,
        precision=run.request.precision,
        out=str(out),
        full=run.request.finalize,
    )
    return {"report": to_plain(report)}


def placement_report(run: Run) -> PlacementReport:
    return from_plain(run.meta("placement")["report"], PlacementReport)


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate:
    report = placement_report(run)
    run.findings[:] = placement_findings(report, read_source_map(run.path("capture", "source_map.json")))
    allowed = {Placement.NPU, Placement.CPU} if run.request.allow_cpu else {Placement.NPU}
    off = [node.node for node in report.nodes if node.placement not in allowed]
    # With nothing left for the NPU there is nothing to deploy, whatever is allowed.
    none = report.count(Placement.NPU) == 0
    detail = "QAIRT takes no node of this model" if none else ", ".join(off[:5])
    if off and not run.request.allow_cpu and report.count(Placement.FAILS) == 0:
        detail += "; --allow-cpu deploys them to the CPU"
    return Gate("nodes off the NPU", float(len(off)), 0.0, not off and not none, detail, tuple(off))


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    report = placement_report(run)
    counts = ", ".join(f"{report.count(place)} {place.value}" for place in Placement)
    return f"{counts}; {report.npu_partitions} NPU partition{'s' * (report.npu_partitions != 1)}"


STAGE = Stage(name="placement", order=30, version=2, key=_key, build=_build, gate=_gate, note=_note)
