"""Where packages can run, and what one of these places is."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.config import Config, load_config
from aipc.core.errors import AipcError
from aipc.core.jobs import AnyJob
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.package import check_package
from aipc.qairt.soc import get_soc
from aipc.targets import Description, Mismatch, UnfitError, all_targets, describe_device, get_target, reach_device
from aipc.targets.preflight import preflight

from ._run import OnEvent


@dataclass(frozen=True, slots=True)
class ExaminedDevice:
    """One device, and whether a package fits it."""

    ok: bool
    description: Description
    package: str | None = None
    mismatches: tuple[Mismatch, ...] = ()


def targets(projects: Sequence[Path] | None = None) -> tuple[Description, ...]:
    """Every place where a package can run, with the reason where it cannot; those that projects configure as well."""
    descriptions = {item.name: item for target in all_targets() for item in target.discover()}
    for project in [Path.cwd()] if projects is None else projects:
        with suppress(AipcError):  # it is told where the configuration is used
            for name in load_config(project).targets:
                descriptions.setdefault(name, Description(name, get_target(name).scheme, name, True))
    return tuple(descriptions.values())


def device_soc(
    target: str,
    requested: str | None,
    configured: str,
    config: Config,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    model: str = "MODEL",
) -> str:
    """What to compile for: what the user asked for, else the chip that the device says it is, else the configured one.

    Raises:
        DeviceError: the device cannot be reached: better told now than after minutes of compilation.
        UnfitError: the device is another chip than the one that the user asked for.
    """
    with pool_or_new(pool) as workers:

        def job(name: AnyJob, **arguments: Any) -> Any:
            return workers.run(name, arguments, on_event=on_event, cancel=cancel)

        facts = reach_device(job, target, config.targets.get(target)).facts
    if facts is None or not facts.soc:
        return configured
    if requested is None or get_soc(requested).part == facts.soc:
        return facts.soc
    origin = f" (so says {facts.soc_source})" if facts.soc_source else ""
    command = ["aipc", "deploy", model, "--soc", facts.soc, "--target", target]
    raise UnfitError(
        f"[soc] you asked for {get_soc(requested).title} and this device is {get_soc(facts.soc).title}{origin}",
        step="preflight",
        device=target,
        remedy=f"compile for this device: {shlex.join(command)}",
        soc=facts.soc,
    )


def examine_target(
    target: str,
    package: Path | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    cwd: Path | None = None,
) -> ExaminedDevice:
    """Connect to a target, ask what it is, and compare a package with it. Changes nothing there."""
    get_target(target)
    manifest = check_package(package.resolve()) if package else None
    with pool_or_new(pool) as workers:

        def job(name: AnyJob, **arguments: Any) -> Any:
            return workers.run(name, arguments, on_event=on_event, cancel=cancel)

        description = describe_device(job, target, load_config(cwd or Path.cwd()).targets.get(target))
    mismatches: tuple[Mismatch, ...] = ()
    if manifest and package and description.facts:
        size = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
        mismatches = preflight(manifest, description.facts, size=size, target=target)
    ok = description.available and not any(item.blocks for item in mismatches)
    return ExaminedDevice(ok, description, str(package.resolve()) if package else None, mismatches)
