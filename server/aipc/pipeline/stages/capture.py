"""Load the model and capture it as ONNX with a source map."""

from __future__ import annotations

from pathlib import Path

from aipc.capture import worker_jobs as capture_jobs
from aipc.core.hashing import hash_file, hash_value
from aipc.core.types import Gate
from aipc.core.wording import counted

from ..artifacts import CapturedGraph
from ..build import Build
from ..run import Run
from ..stage import Stage

# What later stages depend on. The source map is not among it: a comment moves lines and changes no graph.
_CONTENT = ("model.onnx", "model.data", "inputs.npz", "reference.npz")


def _key(build: Build) -> object:
    ref = build.request.ref
    return {
        "path": str(ref.path),
        "attribute": ref.attribute,
        "inputs": ref.inputs,
        "dims": dict(ref.config.dims) if ref.config else {},
        "root": str(ref.root),
        "strategy": build.variant.strategy,
        "opset": build.variant.opset,
        **({"state": ref.config.state} if ref.config and ref.config.state else {}),
        **({"unsaved": dict(ref.unsaved)} if ref.unsaved else {}),
    }


def _capture(run: Run, out: Path) -> CapturedGraph:
    variant = run.variant
    result = run.job(
        capture_jobs.CAPTURE, ref=run.request.ref, out=str(out), opset=variant.opset, strategy=variant.strategy
    )
    files = {name: hash_file(out / name) for name in _CONTENT if (out / name).is_file()}
    return CapturedGraph(result=result, digest=hash_value(files))


def _gate(build: Build, captured: CapturedGraph) -> Gate:
    result = captured.result
    return Gate("captured", float(result.ok), 1.0, result.ok, result.reason[:300])


def _note(build: Build, captured: CapturedGraph) -> str:
    return f"{counted(captured.result.nodes, 'node')}; example inputs: {captured.result.provenance}"


STAGE = Stage(
    name="capture",
    order=10,
    version=6,
    artifact=CapturedGraph,
    key=_key,
    make=_capture,
    gate=_gate,
    files=lambda captured: captured.result.files,
    note=_note,
)
