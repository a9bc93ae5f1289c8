"""Run the package on its target with the example inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.json import to_plain
from aipc.targets import run_on

from ..stage import Run, Stage


def _key(run: Run) -> Any:
    # A device may have changed since, and nobody sees it: there a run is made each time.
    once = None if run.request.target == "simulator" else run.directory.name
    return [run.keys["package"], run.request.target, once]


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    result = run_on(
        run.job,
        run.request.target,
        package=run.path("package", "package"),
        inputs=run.path("capture", "inputs.npz"),
        outputs=out / "outputs.npz",
        options=replace(run.request.device, journal=str(run.directory)),
    )
    plain: dict[str, Any] = to_plain(result)
    return plain


STAGE = Stage(name="run", order=80, version=2, key=_key, build=_build)
