"""The HTP simulator that onnxruntime-qnn carries: right numbers, no latency."""

from __future__ import annotations

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
        result = job(
            "aipc.targets._runner:run", package=str(package), inputs=str(inputs), outputs=str(outputs), soc=soc
        )
        return TargetRun(None, float(result["host_seconds"]))


TARGET = Simulator()
