"""Hold the outputs of the package on its target against PyTorch in fp32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.hashing import hash_file
from aipc.core.json import from_plain, to_plain
from aipc.core.types import Gate, OutputAccuracy

from ..gates import package_gate
from ..stage import Run, Stage
from .run import outputs_of


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    if run.calibrates:
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
    outputs: tuple[OutputAccuracy, ...] = run.job("aipc.quantize.judging:compare", **files)
    if run.plan is None:
        outputs = _with_ideal(run, outputs)
    meta: dict[str, Any] = {
        "outputs": to_plain(outputs),
        "slices": to_plain(run.job("aipc.qairt.slices:slices", **files)),
    }
    if metric := _metric(run):
        found = run.job("aipc.quantize.metrics:measure", metric=metric, root=str(run.request.ref.root), **files)
        meta["metric"] = to_plain(found)
    return meta


def _with_ideal(run: Run, outputs: tuple[OutputAccuracy, ...]) -> tuple[OutputAccuracy, ...]:
    """What a correctly rounded fp16 run has, on the first sample, for a candidate in fp16."""
    found: tuple[OutputAccuracy, ...] = run.job(
        "aipc.qairt.package_jobs:compare",
        reference_npz=str(run.references[0]),
        actual_npz=str(outputs_of(run)[0]),
        model=str(run.path("capture", "model.onnx")),
        inputs=str(run.held_out[0]),
    )
    ideal = {output.name: output.ideal_fp16_sqnr_db for output in found}
    return tuple(replace(output, ideal_fp16_sqnr_db=ideal[output.name]) for output in outputs)


def _metric(run: Run) -> str | None:
    config = run.request.ref.config
    return config.metric if config else None


def _key(run: Run) -> Any:
    metric = _metric(run) if run.calibrates else None
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
    if not run.calibrates:
        return ""
    words = f"on {len(run.held_out)} samples that did not calibrate"
    metric = meta.get("metric")
    return f"{words}; {metric['name']} {metric['value']:.4g}" if metric else words


STAGE = Stage(name="verify", order=90, version=2, key=_key, build=_build, gate=_gate, note=_note)
