"""Run the package on its target with the inputs that it is judged on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aipc.core.probes import ProbeStatus
from aipc.probes.examination import ProbeRun
from aipc.targets import HERE, run_samples

from ..artifacts import (
    BuiltPackage,
    CalibrationData,
    CapturedGraph,
    ProbeAnswers,
    QuantizedGraph,
    RewrittenGraph,
    TargetExecution,
    output_name,
    probe_output_name,
)
from ..build import Build
from ..probing import graph_probe_results
from ..run import Run
from ..stage import Stage

_SHARE = 0.2
_LEAST_SECONDS = 3.0
"""Probes on the target may take a fifth of the time of the run so far, and three seconds at least."""
_SLOW_CALL_SECONDS = 0.03
"""A call of PyTorch from which on the first probe runs beside the example, on another core: the simulator takes some
45 times as long (YOLOv8n: 0.1 s and 4.5 s), and a process of its own 1.5 s to start."""
_ON_DEVICE = 2


def _key(build: Build) -> object:
    # A device may have changed since, and nobody sees it: there a run is made each time.
    once = None if build.request.target == "simulator" else build.request.device.journal
    probes = [build.artifacts[ProbeAnswers].key, _chosen_probes(build)]
    return [build.artifacts[BuiltPackage].key, build.request.target, once, probes]


def _run(run: Run, out: Path) -> TargetExecution:
    """``outputs.npz`` of the golden inputs; one file a sample where there are several, ``outputs.0001.npz`` …"""
    probes = run.artifacts[ProbeAnswers]
    result = run_samples(
        run.job,
        run.request.target,
        package=run.artifacts[BuiltPackage].package,
        samples=[(inputs, out / output_name(number)) for number, inputs in enumerate(run.held_out)],
        further=[(probes.inputs(name), out / probe_output_name(name)) for name in _chosen_probes(run)],
        options=replace(
            run.request.device,
            journal=str(run.directory),
            cpu_model=str(run.deployed_graph.graph),
            further_seconds=None if run.request.probes == "all" else _seconds(run),
            beside=_is_slow(run),
        ),
    )
    return TargetExecution(result=result)


def _chosen_probes(build: Build) -> tuple[str, ...]:
    """Probes that the target is to run, as far as there is time: the user's samples, one of each kind, the others."""
    examined = build.artifacts[ProbeAnswers].examined
    if examined is None:
        return ()
    results = graph_probe_results(examined, build.request.tolerance)
    passed = {item.name for item in results if item.status is not ProbeStatus.LEFT_OUT}
    probes = [item for item in examined.probes if item.finite and item.name in passed]
    combinations: set[tuple[str, tuple[str, ...]]] = set()
    first: list[ProbeRun] = []
    rest: list[ProbeRun] = []
    for item in probes:
        group = (item.kind, item.inputs)
        (rest if group in combinations and item.kind != "sample" else first).append(item)
        combinations.add(group)
    ordered = sorted(first, key=lambda item: item.kind != "sample") + rest
    local = build.request.target.partition(":")[0] in HERE
    # Each is a push and a run of its own on a device.
    most = len(ordered) if local or build.request.probes == "all" else _ON_DEVICE
    return tuple(item.name for item in ordered[:most])


def _seconds(build: Build) -> float:
    return max(_LEAST_SECONDS, _SHARE * build.seconds)


def _is_slow(build: Build) -> bool:
    examined = build.artifacts[ProbeAnswers].examined
    return examined is not None and examined.call_seconds >= _SLOW_CALL_SECONDS


STAGE = Stage(
    name="run",
    order=80,
    version=5,
    artifact=TargetExecution,
    needs=(CapturedGraph, ProbeAnswers, RewrittenGraph, CalibrationData, QuantizedGraph, BuiltPackage),
    key=_key,
    make=_run,
)
