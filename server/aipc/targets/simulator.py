"""The HTP simulator that onnxruntime-qnn carries: right numbers, no latency."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.qairt.runtime import INSTALL, qairt_version

from .base import Description, TargetRun


@dataclass(frozen=True, slots=True)
class Simulator:
    scheme: str = "simulator"

    def discover(self) -> tuple[Description, ...]:
        version = qairt_version()
        if sys.platform == "darwin":
            reason = "QAIRT's simulator does not exist for macOS; run on Linux x86-64 or Windows"
        elif version is None:
            reason = f"onnxruntime-qnn is not installed; run {INSTALL}"
        else:
            reason = ""
        return (Description("simulator", "simulator", f"HTP simulator of QAIRT {version or '-'}", not reason, reason),)

    def run(self, job: Callable[..., Any], *, package: Path, inputs: Path, outputs: Path, soc: str) -> TargetRun:
        entry = json.loads((package / "manifest.json").read_text("utf-8"))["entry"]
        result = job(
            "aipc.qairt.package_jobs:run",
            package_model=str(package / entry),
            inputs_npz=str(inputs),
            out_npz=str(outputs),
            soc=soc,
        )
        return TargetRun(None, result.host_run_seconds)


TARGET = Simulator()
