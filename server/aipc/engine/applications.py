"""Applications: check, deploy, verify and run several graphs as one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.apps.gates import token_gate
from aipc.apps.genie import CONFIG
from aipc.apps.package import build_application, layout
from aipc.apps.prepare import ApplicationBench, answered, planned, source_of
from aipc.apps.results import AppCheckReport, AppReport
from aipc.apps.worker_jobs import RUN_GENIE
from aipc.core.answers import Answer
from aipc.core.app_config import AppConfig, app_directory
from aipc.core.cache import Cache
from aipc.core.config import Config, ModelConfig
from aipc.core.errors import InputError
from aipc.core.names import state_path
from aipc.core.plain_data import from_plain, to_plain
from aipc.core.requests import ApplicationRequest, CheckRequest, DeployRequest
from aipc.core.types import Event
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.effective import in_effect
from aipc.pipeline.journal import Journal, new_run_directory
from aipc.pipeline.package import check_output, install_package, read_manifest, recover_output
from aipc.pipeline.versions import environment
from aipc.qairt.genie import genie_library
from aipc.qairt.runtime import require_qairt

from ._run import OnEvent, ignore
from .application_packages import TARGETS, answers_of, find_application, judged
from .checking import check
from .chips import deploy


@contextmanager
def _opened(
    request: ApplicationRequest,
    pool: WorkerPool | None,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> Iterator[tuple[AppConfig, Config, ApplicationBench]]:
    app, config = find_application(request.application, (request.cwd or Path.cwd()).resolve())
    if app is None:
        known = ", ".join(config.apps) or "none yet"
        raise InputError(
            f"there is no application called {request.application!r}", remedy=f"configured applications: {known}"
        )
    require_qairt()
    directory = new_run_directory(config.root)
    with pool_or_new(pool) as workers:
        yield (
            app,
            config,
            ApplicationBench(
                pool=workers,
                cache=Cache(),
                on_event=on_event or ignore,
                cancel=cancel,
                log=directory / "logs",
                use_cache=request.use_cache,
            ),
        )


def check_application(
    request: ApplicationRequest,
    *,
    full: bool = True,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> AppCheckReport:
    """Find the recipe and check every graph.

    Args:
        full: compile to the end, as for a model.

    Raises:
        AipcError: the check could not be made.
    """
    with _opened(request, pool, on_event, cancel) as (app, config, bench):
        plan, _ = planned(source_of(app, config.root), app.graphs, bench)
        reports = {}
        for name in plan.graphs:
            check_request = CheckRequest(
                f"{app.name}.{name}",
                soc=request.soc,
                precision=request.precision,
                full=full,
                cwd=config.root,
                use_cache=request.use_cache,
            )
            reports[name] = check(check_request, bench.pool, _prefixed(name, bench.on_event), cancel)
    return AppCheckReport(application=app.name, family=plan.family, graphs=reports)


def deploy_application(
    request: ApplicationRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> AppReport:
    """Deploy every graph, put them into one package, and gate the package's own answers against PyTorch's.

    Raises:
        AipcError: a step could not be made. A gate that is not passed is a report with ``ok`` False.
    """
    started = time.perf_counter()
    with _opened(request, pool, on_event, cancel) as (app, config, bench):
        chosen = in_effect(
            config,
            ModelConfig(name=app.name, entry=app.entry, precision=app.precision, soc=app.soc),
            soc=request.soc,
            precision=request.precision,
            target=request.target,
        )
        soc, precision, target = chosen.soc.value, chosen.precision.value, chosen.target.value
        if target not in TARGETS:
            raise InputError(
                f"applications are not deployed to {target} yet",
                remedy="leave --target out, copy the package to the device and run its run.py --self-test there",
            )
        name = f"{app.name}-{soc}-{precision}"
        out = (request.cwd or Path.cwd()) / (request.out or state_path(config.root, "packages", name))
        journal = Journal(bench.log.parent)
        recover_output(out)
        check_output(out)
        source = source_of(app, config.root)
        plan, entry = planned(source, app.graphs, bench)
        expected = answered(source, entry, bench)
        report = AppReport(
            application=app.name,
            family=plan.family,
            soc=soc,
            precision=precision,
            target=target,
            ok=False,
            gate=None,
        )
        packages = {}
        for graph in plan.graphs:
            place = app_directory(config.root, app.name) / "packages" / f"{graph}-{soc}-{precision}"
            deploy_request = DeployRequest(
                f"{app.name}.{graph}",
                soc=soc,
                precision=precision,
                target=target,
                out=place,
                cwd=config.root,
                use_cache=request.use_cache,
                # A generator's part is judged within the whole, on every sample; masks and caches made at random are
                # none that its host gives it.
                probes="none",
            )
            deployed = deploy(deploy_request, bench.pool, _prefixed(graph, bench.on_event), cancel)
            report = replace(report, graphs={**report.graphs, graph: deployed})
            if not deployed.ok:
                return replace(report, timings=_timings(report, started))
            packages[graph] = place
        files = {graph: read_manifest(place)["files"] for graph, place in packages.items()}

        def build(directory: Path) -> dict[str, Any]:
            build_application(
                directory / "package",
                plan=plan,
                plan_entry=entry,
                golden=expected.path / "golden",
                packages=packages,
                precision=precision,
            )
            return {}

        # The deployment of a graph adds to its manifest when it happened: files alone are its content.
        package = bench.entry("package", [entry.path.name, expected.path.name, files, layout()], build).path / "package"

        def run(directory: Path) -> dict[str, Any]:
            return answers_of(bench, package, ["--self-test"])

        bench.on_event(Event("run", "answering the samples"))
        answers = bench.entry("run", [package.parent.name, target], run).meta["answers"]
        report = judged(report, expected.meta["answers"], answers)
        note = str(read_manifest(package)["genie"])
        if report.ok and note == CONFIG:
            report = _with_genie(report, package, bench)
        elif note and note != CONFIG:
            report = replace(report, genie_note=f"no bundle for Genie: {note}")
        journal.write("application", gate=report.gate, ok=report.ok)
        if report.ok:
            assert report.gate
            gates = {"verify": to_plain(report.gate)} | ({"genie": to_plain(report.genie)} if report.genie else {})
            install_package(package, out, gates, {target: dict(environment())})
            size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
            report = replace(report, package=str(out), size_bytes=size)
    return replace(report, timings=_timings(report, started))


def _with_genie(report: AppReport, package: Path, bench: ApplicationBench) -> AppReport:
    """The report with the gate on what Genie answers from the bundle. Either runtime's wrong answers stop it."""
    if genie_library() is None:
        return replace(report, genie_note="libGenie is not on this computer: its bundle was not run")
    samples = [answer.sample for answer in report.expected]

    def run(directory: Path) -> dict[str, Any]:
        answers = bench.job(RUN_GENIE, package=str(package), samples=samples)
        return {"answers": to_plain(answers)}

    bench.on_event(Event("genie", "Genie answers the samples"))
    entry = bench.entry("genie", [package.parent.name, samples], run)
    answers = tuple(from_plain(item, Answer) for item in entry.meta["answers"])
    gate = token_gate(report.expected, answers)
    return replace(report, genie=gate, ok=report.ok and gate.ok)


def _timings(report: AppReport, started: float) -> dict[str, float]:
    graphs = {name: graph.timings["total"] for name, graph in report.graphs.items()}
    return {**graphs, "total": round(time.perf_counter() - started, 4)}


def _prefixed(graph: str, on_event: OnEvent) -> OnEvent:
    """Events of one graph's deployment, under its name."""
    return lambda event: on_event(replace(event, message=f"{graph}: {event.message}"))
