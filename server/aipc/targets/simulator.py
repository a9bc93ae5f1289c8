"""The HTP simulator that onnxruntime-qnn carries: right numbers, no latency."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from aipc.qairt.runtime import INSTALL, qairt_version

from ._machine import Machine
from .base import Description, Device, DeviceContext


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

    def open(self, name: str, context: DeviceContext) -> Device:
        return Machine(context, simulated=True)


TARGET = Simulator()
