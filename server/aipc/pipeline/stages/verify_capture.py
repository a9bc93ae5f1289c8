"""Hold the captured graph, run in fp32 on the CPU, against PyTorch in fp32; say where and why they differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aipc.capture import worker_jobs as capture_jobs
from aipc.core.errors import AipcError, CancelledError
from aipc.core.types import Gate
from aipc.probes import worker_jobs as probe_jobs

from ..artifacts import CapturedGraph, CaptureVerification
from ..build import Build
from ..gates import capture_gate, capture_threshold
from ..probing import fault_reason, left_out_reason
from ..run import Run
from ..stage import Stage


def _key(build: Build) -> object:
    return [build.captured.digest, capture_threshold(build.request.tolerance)]


def _verify(run: Run, out: Path) -> CaptureVerification:
    request, capture = run.request, str(run.captured.directory)
    verification = CaptureVerification(outputs=run.job(capture_jobs.VERIFY_CAPTURE, directory=capture))
    if capture_gate(verification.outputs, request.tolerance).ok or request.ref.kind in {"onnx", "captured"}:
        return verification
    threshold = capture_threshold(request.tolerance)
    try:
        divergence = run.job(probe_jobs.EXPLAIN_EXAMPLE, ref=request.ref, capture=capture, threshold_db=threshold)
    except CancelledError:
        raise
    except AipcError as error:
        return replace(verification, unexplained=str(error))
    return replace(verification, divergence=divergence)


def _gate(build: Build, verification: CaptureVerification) -> Gate:
    gate, divergence = capture_gate(verification.outputs, build.request.tolerance), verification.divergence
    if gate.ok or divergence is None:
        return gate
    if not divergence.is_fault:
        detail = f"{gate.detail}: {left_out_reason(divergence)}"
        return Gate(gate.metric, gate.value, gate.value or 0.0, True, detail, divergence.nodes)
    return Gate(
        gate.metric,
        gate.value,
        gate.threshold,
        False,
        f"{gate.detail} on the example inputs: {fault_reason(divergence, gate)}",
        divergence.nodes,
    )


def _note(build: Build, verification: CaptureVerification) -> str:
    divergence = verification.divergence
    return left_out_reason(divergence) if divergence is not None and not divergence.is_fault else ""


STAGE = Stage(
    name="verify capture",
    order=20,
    version=3,
    artifact=CaptureVerification,
    needs=(CapturedGraph,),
    key=_key,
    make=_verify,
    gate=_gate,
    note=_note,
)
