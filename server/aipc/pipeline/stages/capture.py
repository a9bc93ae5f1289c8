"""Load the model and capture it as ONNX with a source map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.capture import worker_jobs as capture_jobs
from aipc.core.hashing import hash_file, hash_value
from aipc.core.json import from_plain, to_plain
from aipc.core.types import Finding, Gate

from ..stage import Run, Stage

# What later stages depend on. The source map is not among it: a comment moves lines and changes no graph.
_CONTENT = ("model.onnx", "model.data", "inputs.npz", "reference.npz")


def _key(run: Run) -> Any:
    ref = run.request.ref
    return {
        "path": str(ref.path),
        "attribute": ref.attribute,
        "inputs": ref.inputs,
        "dims": dict(ref.config.dims) if ref.config else {},
        "root": str(ref.root),
        "strategy": run.variant.strategy,
        "opset": run.variant.opset,
        **({"state": ref.config.state} if ref.config and ref.config.state else {}),
        **({"unsaved": dict(ref.unsaved)} if ref.unsaved else {}),
    }


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    variant = run.variant
    result = run.job(
        capture_jobs.CAPTURE, ref=run.request.ref, out=str(out), opset=variant.opset, strategy=variant.strategy
    )
    files = {name: hash_file(out / name) for name in _CONTENT if (out / name).is_file()}
    meta: dict[str, Any] = to_plain(result)
    return {**meta, "digest": hash_value(files)}


def capture_findings(run: Run) -> tuple[Finding, ...]:
    """What stopped an export."""
    return from_plain(run.meta("capture")["findings"], tuple[Finding, ...])


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate:
    return Gate("captured", float(meta["ok"]), 1.0, meta["ok"], meta["words"][:300])


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    return f"{meta['nodes']} nodes; example inputs: {meta['provenance']}"


STAGE = Stage(
    name="capture",
    order=10,
    version=5,
    key=_key,
    build=_build,
    gate=_gate,
    files=lambda meta: meta["files"],
    note=_note,
)
