"""Applications and their packages: find one, run it, verify it again."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.apps.gates import divergences, token_gate
from aipc.apps.package import golden_answers, is_application
from aipc.apps.prepare import ApplicationBench
from aipc.apps.results import AppReport, AppRunReport
from aipc.apps.worker_jobs import RUN_APPLICATION
from aipc.core.answers import Answer
from aipc.core.app_config import AppConfig
from aipc.core.cache import Cache
from aipc.core.config import Config, load_config
from aipc.core.errors import InputError
from aipc.core.package_manifest import MANIFEST
from aipc.core.plain_data import from_plain
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.package import check_package
from aipc.qairt.runtime import require_qairt

from ._run import OnEvent, ignore

TARGETS = ("simulator", "local")
"""Where an application's host program runs: on this computer."""


def configured_application(name: str, cwd: Path | None = None) -> AppConfig | None:
    """The application of that name, or of that folder or GGUF file; None where a model is meant."""
    return find_application(name, (cwd or Path.cwd()).resolve())[0]


def find_application(name: str, cwd: Path) -> tuple[AppConfig | None, Config]:
    """The application and the configuration of its project; None where the name is a model's or nobody's."""
    config = load_config(cwd)
    if name in config.apps:
        return config.apps[name], config
    path = (cwd / Path(name).expanduser()).resolve()
    if name not in config.models and ((path / "config.json").is_file() or path.suffix == ".gguf"):
        return AppConfig(name=path.stem.replace(".", "-"), entry=str(path)), config
    return None, config


def judged(report: AppReport, expected: Sequence[Any], answers: Sequence[Any]) -> AppReport:
    """The report with its gate. ``expected`` and ``answers``: of PyTorch and of the package, as plain data."""
    wanted = tuple(from_plain(item, Answer) for item in expected)
    actual = tuple(from_plain(item, Answer) for item in answers)
    gate = token_gate(wanted, actual)
    return replace(
        report, ok=gate.ok, gate=gate, answers=actual, expected=wanted, divergences=divergences(wanted, actual)
    )


def answers_of(bench: ApplicationBench, package: Path, arguments: Sequence[str]) -> dict[str, Any]:
    """What the package's own host program prints as JSON."""
    return bench.job(RUN_APPLICATION, package=str(package), arguments=list(arguments))


@contextmanager
def _runnable(
    package: Path,
    target: str,
    pool: WorkerPool | None,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> Iterator[tuple[dict[str, Any], ApplicationBench]]:
    if target not in TARGETS:
        raise InputError(
            f"applications do not run on {target} yet", remedy="copy the package to the device and run its run.py there"
        )
    manifest = check_package(package)
    require_qairt()
    with pool_or_new(pool) as workers:
        cache = Cache()
        log = cache.root / "checks" / f"{package.name}-{time.time_ns()}"
        yield manifest, ApplicationBench(pool=workers, cache=cache, on_event=on_event or ignore, cancel=cancel, log=log)
        shutil.rmtree(log, ignore_errors=True)


def verify_application(
    package: Path,
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> AppReport:
    """Let a package answer its samples again and gate its tokens as its deployment did."""
    package = package.resolve()
    started = time.perf_counter()
    with _runnable(package, target, pool, on_event, cancel) as (manifest, bench):
        answers = answers_of(bench, package, ["--self-test"])["answers"]
    report = AppReport(
        application=manifest["application"],
        family=manifest["family"],
        soc=manifest["soc"],
        precision=manifest["precision"],
        target=target,
        ok=False,
        gate=None,
        package=str(package),
    )
    report = judged(report, golden_answers(package), answers)
    return replace(report, timings={"total": round(time.perf_counter() - started, 4)})


def run_application(
    package: Path,
    arguments: Sequence[str],
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> AppRunReport:
    """Let a package answer: ``--audio x.wav`` or ``--prompt TEXT``, whatever its host program takes.

    Raises:
        InputError: the host program refuses what it is given.
    """
    package = package.resolve()
    with _runnable(package, target, pool, on_event, cancel) as (manifest, bench):
        answers = answers_of(bench, package, arguments)
    return AppRunReport(
        application=manifest["application"],
        package=str(package),
        target=target,
        answers=tuple(from_plain(item, Answer) for item in answers["answers"]),
        tokens_per_second=answers["tokens_per_second"],
    )


def application_package(name: Path, cwd: Path | None = None) -> Path | None:
    """The package that is meant by a directory, or by an application's name: its newest. None for a model's package."""
    if (name / MANIFEST).exists():  # a directory of sources may have the application's name
        return name if is_application(name) else None
    app, config = find_application(str(name), (cwd or Path.cwd()).resolve())
    if app is None:
        return None
    packages = [path.parent for path in (config.root / ".aipc" / "packages").glob(f"{app.name}-*/manifest.json")]
    packages = [path for path in packages if is_application(path)]
    if not packages:
        raise InputError(f"the application {app.name} has no package", remedy=f"run aipc deploy {app.name} first")
    return max(packages, key=lambda path: (path / "manifest.json").stat().st_mtime)
