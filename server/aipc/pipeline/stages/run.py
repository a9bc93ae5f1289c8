"""Run the package on its target with the inputs that it is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.json import to_plain
from aipc.targets import run_samples

from ..stage import Run, Stage


def _key(run: Run) -> Any:
    # A device may have changed since, and nobody sees it: there a run is made each time.
    once = None if run.request.target == "simulator" else run.directory.name
    return [run.keys["package"], run.request.target, once]


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    """``outputs.npz`` of the golden inputs; one file a sample where there are several, ``outputs.0001.npz`` …"""
    result = run_samples(
        run.job,
        run.request.target,
        package=run.path("package", "package"),
        samples=[(inputs, out / output_name(number)) for number, inputs in enumerate(run.held_out)],
        options=replace(run.request.device, journal=str(run.directory), cpu_model=str(run.graph)),
    )
    plain: dict[str, Any] = to_plain(result)
    return plain


def output_name(number: int) -> str:
    return f"outputs.{number:04d}.npz" if number else "outputs.npz"


def outputs_of(run: Run) -> tuple[Path, ...]:
    """What the package gave for every held-out sample, in their order."""
    return tuple(run.path("run", output_name(number)) for number in range(len(run.held_out)))


STAGE = Stage(name="run", order=80, version=3, key=_key, build=_build)
