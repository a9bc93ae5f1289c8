"""Hold the outputs of the package on its target against PyTorch in fp32."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.json import from_plain, to_plain
from aipc.core.types import Gate, OutputAccuracy

from ..gates import package_gate
from ..stage import Run, Stage


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    outputs = run.job(
        "aipc.qairt.package_jobs:compare",
        reference_npz=str(run.path("capture", "reference.npz")),
        actual_npz=str(run.path("run", "outputs.npz")),
        model=str(run.path("capture", "model.onnx")),
        inputs=str(run.path("capture", "inputs.npz")),
    )
    return {"outputs": to_plain(outputs)}


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate:
    return package_gate(from_plain(meta["outputs"], tuple[OutputAccuracy, ...]), run.request.tolerance)


STAGE = Stage(name="verify", order=90, version=1, key=lambda run: run.keys["run"], build=_build, gate=_gate)
