"""Quantize the graph that is deployed, and ask QAIRT where every node of it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import aipc.quantize as quantize
from aipc.core.hashing import hash_files, hash_value
from aipc.core.json import from_plain, to_plain
from aipc.core.provenance import Provenance
from aipc.core.types import Event, Gate, NodePlacement, Placement, PlacementReport
from aipc.qairt import worker_jobs as qairt_jobs
from aipc.qairt.soc import get_soc
from aipc.quantize import worker_jobs as quantize_jobs
from aipc.quantize.plan import QuantizationPlan
from aipc.quantize.results import Quantized

from ..origins import deployed_provenance
from ..stage import Run, Stage
from ..variant import own_scales_note, precision_of
from .calibrate import calibration_set
from .placement import placement_report

_ROUNDS = 3


@lru_cache(maxsize=1)
def quantizer() -> str:
    """Changes with every change of how graphs are quantized."""
    folder = Path(quantize.__path__[0])
    return hash_value(list(hash_files(sorted(folder.rglob("*.py"))).values()))


def _key(run: Run) -> Any:
    if run.plan is None:
        return "nothing is quantized"
    found = calibration_set(run)
    assert found
    return [run.float_digest, found.digest, to_plain(_plan(run)), run.request.soc, run.request.finalize, quantizer()]


def _plan(run: Run) -> QuantizationPlan:
    found = calibration_set(run)
    assert run.plan and found
    return replace(run.plan, calibration=found.digest)


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    if run.plan is None:
        return {"changed": False}
    plan = _plan(run)
    fp16 = get_soc(run.request.soc).fp16 == "yes"
    islands: list[str] = []
    for _ in range(_ROUNDS):
        result: Quantized = run.job(
            quantize_jobs.QUANTIZE,
            model=str(run.float_graph),
            statistics=str(run.path("calibrate", "statistics")),
            plan=replace(plan, float_nodes=tuple(dict.fromkeys((*plan.float_nodes, *islands)))),
            soc=run.request.soc,
            out=str(out),
        )
        placed: PlacementReport = run.job(
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
    meta = to_plain(result)
    return {
        "changed": True,
        "result": {**meta, "model": "model.onnx"},
        "digest": result.digest,
        "placement": to_plain(placed),
        "islands": islands,
    }


def quantized_result(run: Run) -> Quantized | None:
    """What the stage made; None where nothing was quantized."""
    entry = run.entries.get("quantize")
    return from_plain(entry.meta["result"], Quantized) if entry is not None and entry.meta["changed"] else None


def captured_placement(run: Run) -> PlacementReport:
    """Placement by the captured graph's nodes: of the quantized graph where there is one, else as it was captured.

    A captured node is where the worst of what it became is.
    """
    before, result = placement_report(run), quantized_result(run)
    if result is None:
        return before
    report = from_plain(run.meta("quantize")["placement"], PlacementReport)
    deployed = deployed_provenance(run)
    found: dict[str, NodePlacement] = {}
    worst = {Placement.NPU: 0, Placement.CPU: 1, Placement.FAILS: 2}
    for node in report.nodes:
        for captured in deployed.sources((node.node,)):
            known = found.get(captured)
            if known is None or worst[node.placement] > worst[known.placement]:
                found[captured] = node
    nodes = tuple(
        replace(found[item.node], node=item.node, op_type=item.op_type)
        if item.node in found
        else replace(item, placement=Placement.NPU, reason=None)
        for item in before.nodes
    )
    return replace(report, nodes=nodes)


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate | None:
    if not meta["changed"]:
        return None
    result = quantized_result(run)
    assert result
    report = from_plain(meta["placement"], PlacementReport)
    allowed = {Placement.NPU, Placement.CPU} if run.request.allow_cpu else {Placement.NPU}
    off = [node.node for node in report.nodes if node.placement not in allowed]
    none = report.count(Placement.NPU) == 0
    detail = "QAIRT takes no node of this model" if none else ", ".join(off[:5])
    if off and not run.request.allow_cpu and report.count(Placement.FAILS) == 0:
        detail += "; --allow-cpu deploys them to the CPU"
    nodes = tuple(sorted(Provenance(result.derived).sources(off)))
    return Gate("nodes off the NPU", float(len(off)), 0.0, not off and not none, detail, nodes)


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    result = quantized_result(run)
    if result is None or run.plan is None:
        return "nothing is quantized"
    counts = result.counts
    words = f"{run.plan.label}: {counts['quantized']} of {counts['total']} nodes in integers"
    if run.plan.own:
        words = f"{own_scales_note(run.request.precision, precision_of(run.plan))}; {words}"
    if meta["islands"]:
        words += f"; {len(meta['islands'])} in fp16, which QAIRT refuses in integers: {', '.join(meta['islands'][:3])}"
    return "; ".join([words, *result.notes])


STAGE = Stage(name="quantize", order=50, version=2, key=_key, build=_build, gate=_gate, note=_note)
