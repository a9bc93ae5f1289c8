"""What a front door asks of a target: a run, or a description. The work is a job in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from . import worker_jobs
from .base import Description, TargetRun

Job = Callable[..., Any]
"""``job("module:function", **arguments)`` runs a job in a worker and returns its result."""

HERE = frozenset({"simulator", "local"})
"""Targets that are this machine."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run on a device.

    ``setup``: the user agreed that a device is set up where it lacks something. ``settings`` is the target's table of
    the configuration. ``journal``: a directory; ``device.jsonl`` in it gets a line for each step.
    ``cpu_model``: the uncompiled model, which runs on the device's CPU where a latency is measured.
    """

    setup: bool = False
    warm_up: int = 3
    repeat: int = 10
    performance: str = "burst"
    profile: bool = True
    patience: float = 30.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    journal: str | None = None
    cpu_model: str | None = None
    further_seconds: float | None = None
    """For further inputs (see ``run_samples``): none is begun that would end later. None: no limit."""
    beside: bool = False
    """The first of the further inputs runs at the same time, on another core of this machine, however long it takes."""


def run_samples(
    job: Job,
    target: str,
    *,
    package: Path,
    samples: Sequence[tuple[Path, Path]],
    options: RunOptions,
    further: Sequence[tuple[Path, Path]] = (),
) -> TargetRun:
    """Run a package on several inputs, each with the file for its outputs; what is told is of the first of them.

    On this machine the package is loaded once for all. Raises DeviceError.

    Args:
        further: inputs that are run as far as ``options.further_seconds`` goes; of the others no file is written.
    """
    first, *rest = samples
    once = replace(options, cpu_model=None)
    if target.partition(":")[0] not in HERE:
        runs = [
            run_on(job, target, package=package, inputs=sample, outputs=answer, options=once if number else options)
            for number, (sample, answer) in enumerate([*samples, *further])
        ]
        return runs[0]
    return run_on(
        job, target, package=package, inputs=first[0], outputs=first[1], options=options, more=rest, further=further
    )


def run_on(
    job: Job,
    target: str,
    *,
    package: Path,
    inputs: Path,
    outputs: Path,
    options: RunOptions,
    more: Sequence[tuple[Path, Path]] = (),
    further: Sequence[tuple[Path, Path]] = (),
) -> TargetRun:
    """Run a package on a target, from connecting to the outputs (see ``session.execute``). Raises DeviceError."""
    result: TargetRun = job(
        worker_jobs.EXECUTE,
        target=target,
        package=str(package),
        inputs=str(inputs),
        outputs=str(outputs),
        options=options,
        more=[(str(sample), str(answer)) for sample, answer in more],
        further=[(str(sample), str(answer)) for sample, answer in further],
    )
    return result


def reach_device(job: Job, target: str, settings: Mapping[str, Any] | None = None) -> Description:
    """Like :func:`describe_device`, but raises DeviceError when the device cannot be reached."""
    result: Description = job(worker_jobs.REACH, target=target, settings=dict(settings or {}))
    return result


def describe_device(job: Job, target: str, settings: Mapping[str, Any] | None = None) -> Description:
    """Connect to a target and ask what it is. Not reachable is an answer too: a description with a reason."""
    result: Description = job(worker_jobs.DESCRIBE, target=target, settings=dict(settings or {}))
    return result
