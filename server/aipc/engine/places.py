"""Where packages can run, and what one of these places is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.config import load_config
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.package import check_package
from aipc.targets import Description, Mismatch, all_targets, describe_device, get_target
from aipc.targets.preflight import preflight

from ._run import OnEvent


@dataclass(frozen=True, slots=True)
class Examined:
    """One device, and whether a package fits it."""

    ok: bool
    description: Description
    package: str | None = None
    mismatches: tuple[Mismatch, ...] = ()


def targets(cwd: Path | None = None) -> tuple[Description, ...]:
    """Every place where a package can run, with the reason where it cannot; those of the configuration as well."""
    found = {item.name: item for target in all_targets() for item in target.discover()}
    for name in load_config(cwd or Path.cwd()).targets:
        found.setdefault(name, Description(name, get_target(name).scheme, name, True))
    return tuple(found.values())


def examine_target(
    target: str,
    package: Path | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    cwd: Path | None = None,
) -> Examined:
    """Connect to a target, ask what it is, and compare a package with it. Changes nothing there."""
    get_target(target)
    manifest = check_package(package.resolve()) if package else None
    with pool_or_new(pool) as workers:

        def job(name: str, **arguments: Any) -> Any:
            return workers.run(name, arguments, on_event=on_event, cancel=cancel)

        found = describe_device(job, target, load_config(cwd or Path.cwd()).targets.get(target))
    mismatches: tuple[Mismatch, ...] = ()
    if manifest and package and found.facts:
        size = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
        mismatches = preflight(manifest, found.facts, size=size)
    ok = found.available and not any(item.blocks for item in mismatches)
    return Examined(ok, found, str(package) if package else None, mismatches)
