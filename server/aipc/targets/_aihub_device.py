"""One hosted device: the package's context binary is uploaded and run there, with the user's written consent only."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.cache import Cache, storage_errors
from aipc.core.errors import AipcError, UnknownSoCError
from aipc.qairt.error_codes import explain_failure
from aipc.qairt.soc import SoC, get_soc

from .base import Device, DeviceContext, DeviceError, Executed, Facts, Progress, UnfitError, Work
from .contexts import entry_for

_CLIENT = Path(__file__).with_name("remote") / "aihub.py"
_POLL_SECONDS = 5.0
_COMPILE = "--target_runtime qnn_context_binary"


class HostedDevice(Device):
    def __init__(self, name: str, context: DeviceContext) -> None:
        self._hosted, self._context = name, context
        self._soc: SoC | None = None
        self._plan: Any = None
        self._result: Mapping[str, Any] = {}
        self._directory = tempfile.TemporaryDirectory()

    def describe(self) -> Facts:
        answer = self._ask({"action": "devices"}, lambda note, fraction=None: None)
        devices = {item["name"]: item for item in answer["devices"] if _soc(item["attributes"])}
        device = devices.get(self._hosted)
        if device is None:
            raise DeviceError(
                f"AI Hub has no device {self._hosted!r} with a Snapdragon" if self._hosted else "no device is named",
                remedy=f"it has {', '.join(sorted(devices)) or 'none'}; name one as aihub:DEVICE",
            )
        self._soc = _soc(device["attributes"])
        assert self._soc is not None
        return Facts(
            system="android" if "os:android" in device["attributes"] else "",
            os=f"{device['os']}",
            soc=self._soc.part,
            soc_names=tuple(word for word in device["attributes"] if word.startswith(("chipset:", "soc-model:"))),
            soc_source="AI Hub",
            htp_arch=self._soc.htp_arch,
            vtcm_mb=self._soc.vtcm_mb,
            extra={"client": answer["version"], "attributes": device["attributes"]},
        )

    def push(self, work: Work, progress: Progress) -> str:
        """Nothing yet: the upload is part of the run. Here consent and package are checked before anything leaves."""
        from aipc.qairt.net_run import plan

        assert self._soc is not None
        try:
            self._plan = plan(work.package, work.manifest, entry_for(work.manifest, self._soc))
        except AipcError as error:
            raise UnfitError(error.what, remedy=error.remedy, detail=error.detail) from error
        if self._context.settings.get("upload") is not True:
            size = self._plan.binary.stat().st_size / 1e6
            raise UnfitError(
                f"running there uploads the model ({size:.1f} MB) and its inputs to Qualcomm AI Hub",
                remedy=f'if you allow that, write upload = true in [tool.aipc.targets."{self.name}"]',
            )
        return str(work.package)

    def run(self, work: Work, where: str, progress: Progress) -> Executed:
        from aipc.numerics.npz import read_npz, write_npz
        from aipc.qairt.net_run import stored_inputs

        inputs = Path(self._directory.name) / "inputs.npz"
        arrays = read_npz(work.inputs)
        there = self._context.settings.get("compile") == "there"
        write_npz(inputs, arrays if there else stored_inputs(self._plan, arrays))
        started = time.monotonic()
        self._result = self._ask(
            {
                "action": "run",
                "device": self._hosted,
                "model": str(self._graph(work) if there else self._plan.binary),
                "compile": _COMPILE if there else "",
                "inputs": str(inputs),
                "outputs": str(Path(self._directory.name) / "outputs.npz"),
                "name": f"aipc {work.manifest['model']} {work.manifest['soc']}",
                "seconds": float(self._context.settings.get("poll_seconds", _POLL_SECONDS)),
            },
            progress,
        )
        environment = {
            "runner": f"qai-hub {self._result['version']}",
            "system": self._result["device"]["os"],
            "chip": self._soc.part if self._soc else "",
            "compiled": "there" if there else "here",
        }
        return Executed(
            latency(self._result["summary"]),
            time.monotonic() - started,
            node_profile(self._result["layers"]),
            environment,
        )

    def _graph(self, work: Work) -> Path:
        """The ONNX graph that the package was captured as, while it is in the cache."""
        entry = Cache().get(str(work.manifest.get("capture", "")))
        if entry is None:
            raise DeviceError(
                "the graph that the package was made from is no longer in the cache", remedy="deploy the model again"
            )
        return entry.path / "model.onnx"

    def pull(self, work: Work, progress: Progress) -> None:
        from aipc.numerics.npz import read_npz, write_npz
        from aipc.qairt.net_run import from_stored

        arrays = read_npz(Path(self._directory.name) / "outputs.npz")
        results = from_stored(self._plan, arrays)
        staged = work.outputs.with_name(f".{work.outputs.name}.new")
        with storage_errors(work.outputs.parent):
            write_npz(staged, results)
            staged.replace(work.outputs)

    def close(self) -> None:
        self._directory.cleanup()

    def _ask(self, request: Mapping[str, Any], progress: Any) -> dict[str, Any]:
        """One conversation of AI Hub's client. It is a process of its own, ended with this one."""
        path = Path(self._directory.name) / "request.json"
        path.write_text(json.dumps(request), "utf-8")
        python = str(self._context.settings.get("python", sys.executable))
        try:
            client = subprocess.Popen(
                [python, str(_CLIENT), str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise DeviceError(f"{python} cannot be started: {error.strerror}", remedy="correct python") from error
        last: dict[str, Any] = {}
        with client:
            assert client.stdout and client.stderr
            for line in client.stdout:
                try:
                    message = json.loads(line)
                except ValueError:
                    continue
                if "progress" in message:
                    progress(str(message["progress"]))
                else:
                    last = message
            reason = client.stderr.read()
        if "result" in last:
            result: dict[str, Any] = last["result"]
            return result
        refused = last.get("error", {"what": "AI Hub's client ended without an answer", "remedy": "see --debug"})
        known = explain_failure(str(refused["what"]))
        raise DeviceError(
            str(refused["what"]),
            remedy=known.remedy if known else str(refused["remedy"]),
            detail=reason[-4000:],
        )


def _soc(attributes: list[str]) -> SoC | None:
    """The chip of a device's attributes: ``soc-model:57`` is QNN's own number."""
    for word in attributes:
        key, _, value = word.partition(":")
        if key in {"soc-model", "soc_model"}:
            try:
                return get_soc(value)
            except UnknownSoCError:
                return None
    return None


def latency(summary: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """AI Hub's measurement; times there are microseconds."""
    times = sorted(value for value in summary.get("all_inference_times") or () if isinstance(value, (int, float)))
    estimated = summary.get("estimated_inference_time")
    if not times and not isinstance(estimated, (int, float)):
        return None
    from aipc.qairt.net_run_profile import percentile

    values = times or [float(estimated or 0)]
    middle = percentile(values, 0.5)
    return {
        "repetitions": len(times) or None,
        "p50_ms": middle / 1e3,
        "p90_ms": percentile(values, 0.9) / 1e3,
        "p99_ms": percentile(values, 0.99) / 1e3,
        "min_ms": values[0] / 1e3,
        "max_ms": values[-1] / 1e3,
        "spread": (values[-1] - values[0]) / middle if middle else None,
        "measured_by": "AI Hub",
    }


def node_profile(layers: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Cycles of each layer where the device gave them, else microseconds."""
    for key, unit in (("execution_cycles", "cycles"), ("execution_time", "us")):
        nodes = {str(layer["name"]): layer[key] for layer in layers if layer.get(key)}
        if nodes:
            return {"unit": unit, "measured_on": "device", "nodes": nodes}
    return None
