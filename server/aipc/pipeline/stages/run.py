"""Run the package on its target with the inputs that it is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.json import to_plain
from aipc.core.probes import ProbeStatus
from aipc.probes.results import ProbeRun
from aipc.targets import HERE, run_samples

from ..probing import examined_probes, probe_results
from ..stage import Run, Stage

_SHARE = 0.2
_LEAST_SECONDS = 3.0
"""Probes on the target may take a fifth of the time of the run so far, and three seconds at least."""
_SLOW_CALL_SECONDS = 0.03
"""A call of PyTorch from which on the first probe runs beside the example, on another core: the simulator takes some
45 times as long (YOLOv8n: 0.1 s and 4.5 s), and a process of its own 1.5 s to start."""
_ON_DEVICE = 2


def _key(run: Run) -> Any:
    # A device may have changed since, and nobody sees it: there a run is made each time.
    once = None if run.request.target == "simulator" else run.directory.name
    return [run.keys["package"], run.request.target, once, [run.keys.get("probes"), chosen_probes(run)]]


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    """``outputs.npz`` of the golden inputs; one file a sample where there are several, ``outputs.0001.npz`` …"""
    result = run_samples(
        run.job,
        run.request.target,
        package=run.path("package", "package"),
        samples=[(inputs, out / output_name(number)) for number, inputs in enumerate(run.held_out)],
        further=[(run.path("probes", f"{name}.npz"), out / probe_output(name)) for name in chosen_probes(run)],
        options=replace(
            run.request.device,
            journal=str(run.directory),
            cpu_model=str(run.graph),
            further_seconds=None if run.request.probes == "all" else _seconds(run),
            beside=_is_slow(run),
        ),
    )
    plain: dict[str, Any] = to_plain(result)
    return plain


def chosen_probes(run: Run) -> tuple[str, ...]:
    """Probes that the target is to run, as far as there is time: the user's samples, one of each kind, the others."""
    examined = examined_probes(run)
    if examined is None:
        return ()
    passed = {item.name for item in probe_results(run) if item.status is not ProbeStatus.LEFT_OUT}
    probes = [item for item in examined.probes if item.finite and item.name in passed]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    first: list[ProbeRun] = []
    rest: list[ProbeRun] = []
    for item in probes:
        group = (item.kind, item.inputs)
        (rest if group in seen and item.kind != "sample" else first).append(item)
        seen.add(group)
    ordered = sorted(first, key=lambda item: item.kind != "sample") + rest
    local = run.request.target.partition(":")[0] in HERE
    # Each is a push and a run of its own on a device.
    most = len(ordered) if local or run.request.probes == "all" else _ON_DEVICE
    return tuple(item.name for item in ordered[:most])


def _seconds(run: Run) -> float:
    return max(_LEAST_SECONDS, _SHARE * run.seconds)


def _is_slow(run: Run) -> bool:
    examined = examined_probes(run)
    return examined is not None and examined.call_seconds >= _SLOW_CALL_SECONDS


def probe_output(name: str) -> str:
    return f"probe.{name}.npz"


def output_name(number: int) -> str:
    return f"outputs.{number:04d}.npz" if number else "outputs.npz"


def outputs_of(run: Run) -> tuple[Path, ...]:
    """What the package gave for every held-out sample, in their order."""
    return tuple(run.path("run", output_name(number)) for number in range(len(run.held_out)))


STAGE = Stage(name="run", order=80, version=4, key=_key, build=_build)
