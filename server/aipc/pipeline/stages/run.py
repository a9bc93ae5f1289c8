"""Run the package on its target with the example inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.targets import get_target

from ..stage import Run, Stage


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    """``outputs.npz`` of the golden inputs; one file a sample where there are several, ``outputs.0001.npz`` …"""
    target = get_target(run.request.target)
    latency, seconds = None, 0.0
    for number, inputs in enumerate(run.held_out):
        result = target.run(
            run.job,
            package=run.path("package", "package"),
            inputs=inputs,
            outputs=out / output_name(number),
            soc=run.request.soc,
        )
        latency, seconds = latency or result.latency, seconds + result.host_seconds
    return {"latency": latency, "host_seconds": seconds}


def output_name(number: int) -> str:
    return f"outputs.{number:04d}.npz" if number else "outputs.npz"


def outputs_of(run: Run) -> tuple[Path, ...]:
    """What the package gave for every held-out sample, in their order."""
    return tuple(run.path("run", output_name(number)) for number in range(len(run.held_out)))


STAGE = Stage(name="run", order=80, version=1, key=lambda run: [run.keys["package"], run.request.target], build=_build)
