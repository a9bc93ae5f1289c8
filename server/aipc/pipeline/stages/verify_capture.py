"""Hold the captured graph, run in fp32 on the CPU, against PyTorch in fp32."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.json import from_plain, to_plain
from aipc.core.types import Gate, OutputAccuracy

from ..gates import capture_gate
from ..stage import Run, Stage


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    outputs = run.job("aipc.capture.jobs:verify_capture", directory=str(run.entries["capture"].path))
    return {"outputs": to_plain(outputs)}


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate:
    return capture_gate(from_plain(meta["outputs"], tuple[OutputAccuracy, ...]), run.request.tolerance)


STAGE = Stage(
    name="verify capture",
    order=20,
    version=1,
    key=lambda run: run.meta("capture")["digest"],
    build=_build,
    gate=_gate,
)
