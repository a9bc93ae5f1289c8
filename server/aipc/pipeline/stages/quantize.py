"""Quantize the graph that is deployed, and ask QAIRT where every node of it runs."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import aipc.quantize as quantize
from aipc.core.hashing import hash_files, hash_value
from aipc.core.plain_data import to_plain
from aipc.core.provenance import Provenance
from aipc.core.types import Event, Gate, Placement
from aipc.core.wording import counted
from aipc.qairt import worker_jobs as qairt_jobs
from aipc.qairt.soc import get_soc
from aipc.quantize import worker_jobs as quantize_jobs
from aipc.quantize.plan import QuantizationPlan

from ..artifacts import CalibrationData, CapturedGraph, QuantizedGraph, RewrittenGraph
from ..build import Build
from ..gates import placement_gate
from ..run import Run
from ..stage import Stage
from ..variant import own_scales_note, precision_of

_ROUNDS = 3


@lru_cache(maxsize=1)
def quantizer() -> str:
    """Changes with every change of how graphs are quantized."""
    folder = Path(quantize.__path__[0])
    return hash_value(list(hash_files(sorted(folder.rglob("*.py"))).values()))


def _key(build: Build) -> object:
    if build.plan is None:
        return "nothing is quantized"
    plan, request = _plan(build), build.request
    return [
        build.float_graph.digest,
        plan.calibration,
        to_plain(plan),
        request.soc,
        request.finalize,
        quantizer(),
    ]


def _plan(build: Build) -> QuantizationPlan:
    data = build.artifacts[CalibrationData].data
    assert build.plan and data
    return replace(build.plan, calibration=data.digest)


def _quantize(run: Run, out: Path) -> QuantizedGraph:
    if run.plan is None:
        return QuantizedGraph()
    plan = _plan(run)
    fp16 = get_soc(run.request.soc).fp16 == "yes"
    islands: list[str] = []
    for _ in range(_ROUNDS):
        result = run.job(
            quantize_jobs.QUANTIZE,
            model=str(run.float_graph.graph),
            statistics=str(run.artifacts[CalibrationData].statistics_directory),
            plan=replace(plan, float_nodes=tuple(dict.fromkeys((*plan.float_nodes, *islands)))),
            soc=run.request.soc,
            out=str(out),
        )
        placed = run.job(
            qairt_jobs.PLACE,
            model=str(out / "model.onnx"),
            soc=run.request.soc,
            precision=run.precision,
            out=str(out),
            full=run.request.finalize,
        )
        refused = [node.node for node in placed.nodes if node.placement is not Placement.NPU]
        new = {*Provenance(result.derived).sources(refused)} - {*islands, *plan.float_nodes}
        if not new or not fp16:
            break
        # What QAIRT computes in no integers it may compute in fp16.
        run.on_event(Event("quantize", f"{len(new)} nodes are refused in integers: keeping them in fp16"))
        islands += sorted(new)
    # The artifact is moved into its place when it is complete: a name, not a path.
    return QuantizedGraph(
        digest=result.digest,
        result=replace(result, model="model.onnx"),
        placement=placed,
        islands=tuple(islands),
    )


def _gate(build: Build, quantized: QuantizedGraph) -> Gate | None:
    if quantized.placement is None:
        return None
    return placement_gate(quantized.placement, quantized.provenance, allow_cpu=build.request.allow_cpu)


def _note(build: Build, quantized: QuantizedGraph) -> str:
    result, islands = quantized.result, quantized.islands
    if result is None or build.plan is None:
        return "nothing is quantized"
    counts = result.counts
    note = f"{build.plan.label}: {counts['quantized']} of {counted(counts['total'], 'node')} in integers"
    if build.plan.own:
        note = f"{own_scales_note(build.request.precision, precision_of(build.plan))}; {note}"
    if islands:
        note += f"; {len(islands)} in fp16, which QAIRT refuses in integers: {', '.join(islands[:3])}"
    return "; ".join([note, *result.notes])


STAGE = Stage(
    name="quantize",
    order=50,
    version=4,
    artifact=QuantizedGraph,
    needs=(CapturedGraph, RewrittenGraph, CalibrationData),
    key=_key,
    make=_quantize,
    gate=_gate,
    note=_note,
)
