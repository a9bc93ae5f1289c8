"""``local``: the NPU of this machine (Windows on Snapdragon, Snapdragon Linux), as onnxruntime finds it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache

from aipc.qairt.runtime import INSTALL, qairt_version

from ._machine import Machine
from .base import Description, Device, DeviceContext, DeviceError

_PROBE = """
import sys
sys.path[:] = [path for path in sys.path if path]  # not the working directory
import json, onnxruntime, onnxruntime_qnn
onnxruntime.register_execution_provider_library("QNN", onnxruntime_qnn.get_library_path())
kinds = [str(device.device.type) for device in onnxruntime.get_ep_devices() if device.ep_name == "QNN"]
print(json.dumps(kinds))
"""


@dataclass(frozen=True, slots=True)
class Local:
    scheme: str = "local"

    def discover(self) -> tuple[Description, ...]:
        reason = _missing()
        return (Description("local", "local", f"NPU of this machine ({platform.machine()})", not reason, reason),)

    def open(self, name: str, context: DeviceContext) -> Device:
        if reason := _missing():
            raise DeviceError(reason)
        return Machine(context, simulated=False)


@lru_cache(maxsize=1)
def _missing() -> str:
    """Why no package can run on this machine's own NPU; "" when one can. Asks onnxruntime, in a process of its own."""
    if platform.machine().lower() in {"x86_64", "amd64", "i386", "i686"}:
        return "this machine has no Snapdragon: none here"
    if qairt_version() is None:
        return f"onnxruntime-qnn is not installed; run {INSTALL}"
    try:
        finished = subprocess.run(
            [sys.executable, "-c", _PROBE], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        kinds = json.loads(finished.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return "onnxruntime cannot ask for this machine's NPU; run aipc doctor"
    if not any("NPU" in kind for kind in kinds):
        return "onnxruntime finds no NPU on this machine; check the drivers and onnxruntime-qnn"
    return ""


TARGET = Local()
