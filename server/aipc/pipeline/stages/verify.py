"""Hold the outputs of the package on its target against PyTorch in fp32."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.hashing import hash_file
from aipc.core.json import from_plain, to_plain
from aipc.core.types import Gate, OutputAccuracy

from ..gates import package_gate
from ..stage import Run, Stage
from .run import outputs_of


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    if run.plan is not None:
        return _held_out(run)
    outputs = run.job(
        "aipc.qairt.package_jobs:compare",
        reference_npz=str(run.path("capture", "reference.npz")),
        actual_npz=str(run.path("run", "outputs.npz")),
        model=str(run.path("capture", "model.onnx")),
        inputs=str(run.path("capture", "inputs.npz")),
    )
    return {"outputs": to_plain(outputs)}


def _held_out(run: Run) -> Mapping[str, Any]:
    """A quantized package is judged on samples that did not calibrate, all of them together."""
    files = {
        "references": [str(path) for path in run.references],
        "actuals": [str(path) for path in outputs_of(run)],
    }
    meta: dict[str, Any] = {"outputs": to_plain(run.job("aipc.quantize.judging:compare", **files))}
    if metric := _metric(run):
        found = run.job("aipc.quantize.metrics:measure", metric=metric, root=str(run.request.ref.root), **files)
        meta["metric"] = to_plain(found)
    return meta


def _metric(run: Run) -> str | None:
    config = run.request.ref.config
    return config.metric if config else None


def _key(run: Run) -> Any:
    metric = _metric(run) if run.plan is not None else None
    file = run.request.ref.root / metric.rpartition(":")[0] if metric and ".py:" in metric else None
    return [run.keys["run"], metric, hash_file(file) if file and file.is_file() else None]


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate:
    outputs = from_plain(meta["outputs"], tuple[OutputAccuracy, ...])
    gate = package_gate(outputs, run.request.tolerance, run.plan)
    metric = meta.get("metric")
    if metric and gate.ok and "metric" in run.request.tolerance:
        wanted = run.request.tolerance["metric"]
        return Gate(metric["name"], metric["value"], wanted, metric["value"] >= wanted, gate.detail)
    return gate


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    if run.plan is None:
        return ""
    words = f"on {len(run.held_out)} samples that did not calibrate"
    metric = meta.get("metric")
    return f"{words}; {metric['name']} {metric['value']:.4g}" if metric else words


STAGE = Stage(name="verify", order=90, version=2, key=_key, build=_build, gate=_gate, note=_note)
