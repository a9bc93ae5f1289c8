"""Hold the captured graph, run in fp32 on the CPU, against PyTorch in fp32; say where and why they differ."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.capture import worker_jobs as capture_jobs
from aipc.core.errors import AipcError, CancelledError
from aipc.core.json import from_plain, to_plain
from aipc.core.types import Gate, OutputAccuracy
from aipc.probes import worker_jobs as probe_jobs

from ..gates import capture_gate, capture_threshold
from ..probing import divergence, fault_reason, left_out_reason
from ..stage import Run, Stage


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    capture = str(run.entries["capture"].path)
    outputs: tuple[OutputAccuracy, ...] = run.job(capture_jobs.VERIFY_CAPTURE, directory=capture)
    meta: dict[str, Any] = {"outputs": to_plain(outputs)}
    if capture_gate(outputs, run.request.tolerance).ok or run.request.ref.kind in {"onnx", "captured"}:
        return meta
    threshold = capture_threshold(run.request.tolerance)
    try:
        found = run.job(probe_jobs.EXPLAIN_EXAMPLE, ref=run.request.ref, capture=capture, threshold_db=threshold)
    except CancelledError:
        raise
    except AipcError as error:
        return {**meta, "unexplained": str(error)}
    return {**meta, "divergence": to_plain(found)}


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate:
    gate = capture_gate(from_plain(meta["outputs"], tuple[OutputAccuracy, ...]), run.request.tolerance)
    found = divergence(meta)
    if gate.ok or found is None:
        return gate
    if not found.is_fault:
        detail = f"{gate.detail}: {left_out_reason(found)}"
        return Gate(gate.metric, gate.value, gate.value or 0.0, True, detail, found.nodes)
    return Gate(
        gate.metric,
        gate.value,
        gate.threshold,
        False,
        f"{gate.detail} on the example inputs: {fault_reason(found, gate)}",
        found.nodes,
    )


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    found = divergence(meta)
    return left_out_reason(found) if found is not None and not found.is_fault else ""


STAGE = Stage(
    name="verify capture",
    order=20,
    version=2,
    key=lambda run: [run.meta("capture")["digest"], capture_threshold(run.request.tolerance)],
    build=_build,
    gate=_gate,
    note=_note,
)
