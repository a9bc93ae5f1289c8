"""Run the package on its target with the example inputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.targets import get_target

from ..stage import Run, Stage


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    target = get_target(run.request.target)
    result = target.run(
        run.job,
        package=run.path("package", "package"),
        inputs=run.path("capture", "inputs.npz"),
        outputs=out / "outputs.npz",
        soc=run.request.soc,
    )
    return {"latency": result.latency, "host_seconds": result.host_seconds}


STAGE = Stage(name="run", order=80, version=1, key=lambda run: [run.keys["package"], run.request.target], build=_build)
