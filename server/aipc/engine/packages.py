"""Finished packages: run one, and verify it again."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from aipc.apps.package import is_application
from aipc.core.cache import Cache
from aipc.core.config import load_config
from aipc.core.errors import AipcError, CancelledError, InputError, PackageError
from aipc.core.files import check_array_input, check_array_output
from aipc.core.jobs import AnyJob
from aipc.core.names import STATE
from aipc.core.plain_data import to_plain
from aipc.core.probes import ProbeResult, ProbeStatus
from aipc.core.scratch import scratch_directory
from aipc.core.types import (
    Finding,
    Gate,
    OutputAccuracy,
)
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.debug import worker_jobs as debug_jobs
from aipc.numerics import worker_jobs as numerics_jobs
from aipc.pipeline.artifacts import read_source_map
from aipc.pipeline.findings import numerics_findings
from aipc.pipeline.gates import package_gate
from aipc.pipeline.package import check_package, read_manifest
from aipc.pipeline.versions import environment
from aipc.probes.worker_jobs import COMPARE_FINITE
from aipc.qairt.runtime import require_qairt
from aipc.targets import HERE, RunOptions, SetupNeededError, run_on

from ._run import OnEvent
from .application_packages import verify_application


@dataclass(frozen=True, slots=True)
class RunReport:
    """One execution of a package. ``latency`` is None unless a device measured it."""

    package: str
    target: str
    outputs: tuple[Mapping[str, Any], ...]
    output_file: str
    latency: Mapping[str, Any] | None
    host_seconds: float
    device: Mapping[str, Any] | None = None
    """Where it ran and what was measured there (``targets.TargetRun`` as plain data)."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """A package run again on its golden inputs and held against PyTorch's golden outputs."""

    package: str
    model: str
    soc: str
    target: str
    ok: bool
    gate: Gate
    accuracy: tuple[OutputAccuracy, ...]
    deployed: Mapping[str, Any]
    """The gates that the package passed when it was deployed."""
    findings: tuple[Finding, ...] = ()
    latency: Mapping[str, Any] | None = None
    device: Mapping[str, Any] | None = None
    probes: tuple[ProbeResult, ...] = ()
    """The further golden vectors, run again."""
    changed: tuple[str, ...] = ()
    """What is no longer as it was when the package was deployed there: ``qairt 2.51.0, now 2.52.0``."""


@dataclass(frozen=True, slots=True)
class VerifyAllReport:
    """Every package of a project, verified again."""

    ok: bool
    reports: tuple[VerifyReport, ...]
    errors: Mapping[str, str]
    """Package -> why it could not be run."""


def run_options(
    package: Path, target: str, *, setup: bool = False, repeat: int = 10, cwd: Path | None = None
) -> RunOptions:
    """How to run on a target: what the user's configuration says of it.

    That is the one of the directory ``cwd`` (the present one by default), else that of the project into which the
    package was deployed. One that lies in the package or just above it may have come with it and is not read.
    """
    configs = [load_config(cwd or Path.cwd())]
    if project := _project_of(package):
        configs.append(load_config(project))
    settings: Mapping[str, Any] = next((c.targets[target] for c in configs if target in c.targets), {})
    return RunOptions(setup=setup, repeat=repeat, settings=settings)


def _project_of(package: Path) -> Path | None:
    """The root of the project below whose ``.aipc/packages`` a package lies."""
    parents = package.resolve().parents
    for packages, state in pairwise(parents):
        if (packages.name, state.name) == ("packages", STATE):
            return state.parent
    return None


def run_package(
    package: Path,
    inputs: Path | None = None,
    output: Path | None = None,
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    options: RunOptions | None = None,
) -> RunReport:
    """Run a package on ``inputs`` (.npz; the golden ones by default) and write its outputs to ``output`` (.npz).

    Needs onnxruntime, onnxruntime-qnn and numpy; no PyTorch.
    """
    package = package.resolve()
    manifest = check_package(package)
    require_qairt()
    source = (inputs or package / "golden" / "inputs.npz").resolve()
    destination = (output or Path("outputs.npz")).resolve()
    check_array_input(source)
    check_array_output(destination)
    with pool_or_new(pool) as workers:

        def job(name: AnyJob, **arguments: Any) -> Any:
            return workers.run(name, arguments, on_event=on_event, cancel=cancel)

        result = run_on(
            job,
            target,
            package=package,
            inputs=source,
            outputs=destination,
            options=options or run_options(package, target),
        )
    return RunReport(
        str(package),
        target,
        tuple(manifest["outputs"]),
        str(destination),
        result.latency,
        result.host_seconds,
        to_plain(result),
    )


def verify(
    package: Path,
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    options: RunOptions | None = None,
) -> VerifyReport:
    """Run a package's golden inputs again, gate its outputs as its deployment did, and say what changed since."""
    package = package.resolve()
    if is_application(package):
        return _application_verified(package, target, pool, on_event, cancel)
    manifest = check_package(package)
    with pool_or_new(pool) as workers, scratch_directory() as directory:
        actual = directory / "outputs.npz"
        ran = run_package(package, None, actual, target, workers, on_event, cancel, options)
        arguments = {"reference_npz": str(package / "golden" / "outputs.npz"), "actual_npz": str(actual)}
        outputs = workers.run(numerics_jobs.COMPARE, arguments, on_event=on_event, cancel=cancel)
        deployed = manifest.get("gates", {})
        gate = package_gate(outputs, {"sqnr_db": verify_threshold(manifest, deployed.get("verify", {}))})
        findings = () if gate.ok else _localize_package(manifest, workers, on_event, cancel)
        probes = _verify_probes(package, manifest, target, workers, on_event, cancel, options)
        failed = next((item for item in probes if item.status is ProbeStatus.FAILED), None)
        if gate.ok and failed is not None:
            gate = Gate(
                "sqnr_db",
                failed.package_sqnr_db,
                failed.threshold_db or 0.0,
                False,
                f"output {failed.output} on {failed.title}",
            )
    then = manifest.get("deployments", {}).get(target)
    return VerifyReport(
        str(package),
        manifest["model"],
        manifest["soc"],
        target,
        gate.ok,
        gate,
        tuple(outputs),
        deployed,
        findings,
        ran.latency,
        ran.device,
        probes,
        changes(then, (ran.device or {}).get("environment", {})) if then else (),
    )


def _application_verified(
    package: Path,
    target: str,
    pool: WorkerPool | None,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> VerifyReport:
    manifest = read_manifest(package)
    report = verify_application(package, target, pool, on_event, cancel)
    assert report.gate
    then = manifest.get("deployments", {}).get(target)
    return VerifyReport(
        str(package),
        manifest["model"],
        manifest["soc"],
        target,
        report.ok,
        report.gate,
        (),
        manifest.get("gates", {}),
        changed=changes(then, environment()) if then else (),
    )


def _verify_probes(
    package: Path,
    manifest: Mapping[str, Any],
    target: str,
    pool: WorkerPool,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
    options: RunOptions | None,
) -> tuple[ProbeResult, ...]:
    """The package's further golden vectors run again, each against the threshold of its deployment."""
    results = []
    for number, probe in enumerate(manifest.get("golden_probes", ())):
        with scratch_directory() as directory:
            actual = directory / "outputs.npz"
            run_package(package, package / probe["inputs"], actual, target, pool, on_event, cancel, options)
            arguments = {"reference_npz": str(package / probe["outputs"]), "actual_npz": str(actual)}
            outputs = pool.run(COMPARE_FINITE, arguments, on_event=on_event, cancel=cancel)
        worst = min(outputs, key=lambda item: item.sqnr_db)
        passed = all(item.sqnr_db >= probe["sqnr_db"] and not item.nan and not item.inf for item in outputs)
        results.append(
            ProbeResult(
                name=f"golden-{number}",
                title=probe["title"],
                kind="golden",
                status=ProbeStatus.PASSED if passed else ProbeStatus.FAILED,
                package_sqnr_db=worst.sqnr_db,
                threshold_db=probe["sqnr_db"],
                output=worst.name,
                reason="" if passed else "the package gives another answer than when it was deployed",
            )
        )
    return tuple(results)


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """What is different in two environments. A temperature is no change."""
    names = [name for name in (*then, *(name for name in now if name not in then)) if name != "temperature"]
    return tuple(
        f"{name} {then.get(name) or 'unknown'}, now {now.get(name) or 'unknown'}"
        for name in names
        if then.get(name) != now.get(name)
    )


def packages_to_verify(package: Path | None, *, every: bool, cwd: Path) -> tuple[Path, ...]:
    """The packages that are meant: the one that is named, or all of the project.

    Raises:
        InputError: neither or both, or the project has none.
    """
    if (package is None) != every:
        raise InputError(
            "say which package, or --all for every package of the project", remedy="see aipc verify --help"
        )
    if package is not None:
        return (package,)
    directory = load_config(cwd).root / STATE / "packages"
    items = tuple(
        sorted(
            path.parent
            for path in directory.rglob("manifest.json")
            # The graphs of an application are verified with it.
            if path.parent.name[:1] != "." and not is_application(path.parent.parent.parent)
        )
    )
    if not items:
        raise InputError(f"{directory} has no packages", remedy="deploy a model first")
    return items


def verify_all(
    packages: Sequence[Path],
    target: str | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    *,
    setup: bool = False,
    every: bool = True,
    cwd: Path | None = None,
) -> VerifyAllReport:
    """Verify packages again, each where it was deployed last, or all on ``target``.

    Args:
        cwd: whose configuration says which devices are the user's; a package cannot name one.
        every: a package that cannot be run is told in ``errors`` instead of ending the others.
    """
    reports, errors = [], {}
    with pool_or_new(pool) as workers:
        for package in packages:
            try:
                place = target or (_deployed_on(package, cwd) if every else "simulator")
                options = run_options(package, place, setup=setup, cwd=cwd)
                reports.append(verify(package, place, workers, on_event, cancel, options))
            except (CancelledError, SetupNeededError):
                raise
            except AipcError as error:
                if not every:
                    raise
                errors[str(package)] = str(error)
    return VerifyAllReport(not errors and all(report.ok for report in reports), tuple(reports), errors)


def _deployed_on(package: Path, cwd: Path | None) -> str:
    """Where a package was verified last, if that is this machine or a target that the user's configuration names."""
    config = load_config(cwd or Path.cwd())
    known = {*HERE, *config.targets, *([config.target] if config.target else [])}
    deployments: Mapping[str, Any] = read_manifest(package).get("deployments") or {}
    last = next(reversed(list(deployments)), "simulator")
    if last not in known:
        raise PackageError(
            f"the manifest says that the package was verified on {last}, which your configuration does not name",
            remedy=f"say where to run it: --target {last} or --target simulator",
        )
    return last


def verify_threshold(manifest: Mapping[str, Any], passed: Mapping[str, Any]) -> float:
    """The threshold of the deployment; a package that passed below it, by the rule on ideal fp16, keeps what it had."""
    if passed.get("metric") != "sqnr_db":
        return float(manifest["self_test_sqnr_db"])
    threshold = float(passed.get("threshold", manifest["self_test_sqnr_db"]))
    had = passed.get("value")
    # Never below 0 dB: there the noise is as large as the signal, and everything would pass.
    return max(0.0, min(threshold, float(had) - 1.0)) if isinstance(had, (int, float)) else threshold


def _localize_package(
    manifest: Mapping[str, Any], pool: WorkerPool, on_event: OnEvent | None, cancel: threading.Event | None
) -> tuple[Finding, ...]:
    """Where a package goes wrong, as long as the graph that it was compiled from is still in the cache."""
    entry = Cache().get(manifest.get("capture", ""))
    if entry is None:
        return ()
    arguments = {
        "model": str(entry.path / "model.onnx"),
        "inputs_npz": str(entry.path / "inputs.npz"),
        "soc": manifest["soc"],
        "divergence": True,
        "seconds": 120.0,
    }
    localization = pool.run(debug_jobs.LOCALIZE, arguments, on_event=on_event, cancel=cancel)
    return numerics_findings(localization, read_source_map(entry.path / "source_map.json"), manifest["soc"])
