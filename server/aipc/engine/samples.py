"""Run a package on many inputs, loaded once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aipc.core.jobs import AnyJob
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.qairt.runtime import require_qairt
from aipc.targets import RunOptions, TargetRun
from aipc.targets import run_samples as run_on_target

from ._run import OnEvent
from .packages import run_options


def run_samples(
    package: Path,
    samples: Sequence[tuple[Path, Path]],
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    options: RunOptions | None = None,
) -> TargetRun:
    """Run a package on each pair of an inputs' and an outputs' ``.npz``, with one start of the runtime on this machine.

    Raises:
        DeviceError: the target cannot run it.
    """
    require_qairt()
    with pool_or_new(pool) as workers:

        def job(name: AnyJob, **arguments: Any) -> Any:
            return workers.run(name, arguments, on_event=on_event, cancel=cancel)

        return run_on_target(
            job, target, package=package, samples=samples, options=options or run_options(package, target)
        )
