"""What workers do for targets: a run on a device, and a look at one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError
from aipc.core.journal import Journal
from aipc.core.package_manifest import read_manifest
from aipc.core.types import Event

from . import get_target
from ._runner import with_own_runner
from .base import Description, DeviceContext, Mismatch, TargetRun, Work
from .request import HERE, RunOptions
from .session import Write, opened
from .session import execute as execute_session

JOURNAL = "device.jsonl"


def execute(
    report: Callable[[Event], None],
    *,
    target: str,
    package: str,
    inputs: str,
    outputs: str,
    options: RunOptions,
    more: Sequence[tuple[str, str]] = (),
    further: Sequence[tuple[str, str]] = (),
) -> TargetRun:
    """Run ``package`` on ``target``, from connecting to the outputs in the file ``outputs``.

    Args:
        more: other inputs, each with the file for its outputs; for targets on this machine.
        further: the same, as far as ``options.further_seconds`` goes.
    """
    work = Work(
        Path(package),
        read_manifest(Path(package)),
        Path(inputs),
        Path(outputs),
        options.warm_up,
        options.repeat,
        options.performance,
        options.profile,
        Path(options.cpu_model) if options.cpu_model and options.settings.get("cpu_baseline", True) else None,
        tuple((Path(sample), Path(answer)) for sample, answer in more),
        tuple((Path(sample), Path(answer)) for sample, answer in further),
        options.further_seconds,
        options.beside,
    )
    context = DeviceContext(report, settings=options.settings)
    here = target.partition(":")[0] in HERE
    with nullcontext(work) if here else with_own_runner(work) as work:
        execution = execute_session(
            get_target(target),
            target,
            work,
            context,
            write=_writer(options.journal),
            consent=options.setup,
            patience=options.patience,
        )
    return replace(execution, warnings=(*execution.warnings, *_not_finite(Path(inputs))))


def _not_finite(inputs: Path) -> tuple[Mismatch, ...]:
    """NaN and infinite values of the inputs: they are run as they are, and reported."""
    from aipc.numerics.npz import not_finite, read_npz

    return tuple(
        Mismatch("inputs", message, "check where the array comes from", blocks=False)
        for message in not_finite(read_npz(inputs))
    )


def describe(report: Callable[[Event], None], *, target: str, settings: Mapping[str, Any]) -> Description:
    """What a device is. One that cannot be reached is described with the reason."""
    try:
        return reach(report, target=target, settings=settings)
    except AipcError as error:
        return Description(target, get_target(target).scheme, target, False, str(error))


def reach(report: Callable[[Event], None], *, target: str, settings: Mapping[str, Any]) -> Description:
    """What a device is. Raises DeviceError when it cannot be reached."""
    instance = get_target(target)
    with opened(instance, target, DeviceContext(report, settings=settings), _writer(None)) as (session, device):
        facts = session.describe(device)
    title = ", ".join(filter(None, (target, facts.os, facts.soc.upper())))
    return Description(target, instance.scheme, title, True, "", facts)


def _writer(directory: str | None) -> Write:
    if directory is None:
        return lambda event, data: None
    journal = Journal(Path(directory), JOURNAL)
    return lambda event, data: journal.write(event, **data)
