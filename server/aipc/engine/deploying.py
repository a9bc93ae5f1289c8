"""Deploy for one chip: from a model to a verified package, with a gate after each stage."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError, CancelledError
from aipc.core.names import state_path
from aipc.core.plain_data import to_plain
from aipc.core.requests import DeployRequest
from aipc.core.types import (
    DeployReport,
    Event,
    Finding,
    OutputAccuracy,
)
from aipc.core.wording import gate_text
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline import accepting
from aipc.pipeline.artifacts import BuiltPackage, CompiledGraph, TargetExecution, Verification
from aipc.pipeline.buckets import variants
from aipc.pipeline.build import Build
from aipc.pipeline.capsule import write_capsule
from aipc.pipeline.deploy_own_scales import with_own_scales
from aipc.pipeline.deployment import Settled, settle
from aipc.pipeline.diagnosis import diagnose
from aipc.pipeline.effective import in_effect
from aipc.pipeline.journal import Journal, new_run_directory, run_lock
from aipc.pipeline.outcome import Outcome
from aipc.pipeline.package import check_output, install_package, recover_output
from aipc.pipeline.probing import probe_results, verified_probes
from aipc.pipeline.request import Request
from aipc.pipeline.require_calibration import require_calibration
from aipc.pipeline.run import Run
from aipc.pipeline.run_findings import findings_of
from aipc.pipeline.versions import environment
from aipc.qairt.runtime import require_qairt
from aipc.qairt.soc import get_soc
from aipc.report import write_reports
from aipc.targets import RunOptions, get_target

from ._run import OnEvent, calibrated, configured, counts, needs_integers, new_run, resolve
from .target_devices import device_soc


def deploy_for_chip(
    request: DeployRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> DeployReport:
    """Take a model to a verified package for one chip, every stage gated, cached and journaled.

    Raises:
        AipcError: a stage could not be run. A gate that is not passed is a report with ``ok`` False.
    """
    started = time.perf_counter()
    ref, soc, precision, config = resolve(
        request.captured or request.model,
        request.soc,
        request.precision,
        request.inputs,
        request.cwd,
        request.calibration,
    )
    request = configured(request, ref)
    require_qairt()
    target = in_effect(config, ref.config, soc=soc, target=request.target).target.value
    get_target(target)
    if target != "simulator":
        # The device says which chip it is, and what its NPU computes in follows from the chip.
        soc = device_soc(target, request.soc, soc, config, pool, on_event, cancel, request.model)
        ref, soc, precision, config = resolve(
            request.captured or request.model, soc, request.precision, request.inputs, request.cwd, request.calibration
        )
    unasked = precision == "fp16" and request.precision is None and get_soc(soc).fp16 == "no"
    otherwise = needs_integers(ref, soc, target) if unasked else None
    out = request.out or state_path(ref.root, "packages", f"{ref.name}-{soc}-{precision}")
    out = (request.cwd or Path.cwd()) / out
    places = [out / name for name, _ in variants(ref)]
    for place in places:
        recover_output(place)
        check_output(place)
    tolerance = dict(ref.config.tolerance) if ref.config else {}
    options = RunOptions(setup=request.setup, settings=config.targets.get(target, {}))
    reports: dict[str, DeployReport] = {}
    with pool_or_new(pool) as workers:
        for name, variant in variants(ref):
            # The compile stage finalizes anyway; the placement stage does so only when that fails, to find the nodes.
            chip_request = Request(variant, soc, precision, target, request.allow_cpu, False, out / name, tolerance)
            chip_request = calibrated(
                replace(chip_request, device=options), request.calibration, request.calibration_count
            )
            chip_request = replace(chip_request, integer_io=request.integer_io, probes=request.probes)
            run = new_run(chip_request, workers, on_event, cancel, new_run_directory(ref.root), request.use_cache)
            reports[name] = _deploy_one(run, otherwise, request.accept)
            if not reports[name].ok:
                return reports[name]
    last = next(reversed(reports.values()))
    if len(reports) == 1:
        return last
    timings = {"total": round(time.perf_counter() - started, 4)}
    packages = {name: report.package for name, report in reports.items() if report.package}
    return replace(last, package=str(out), packages=packages, timings=timings)


def _deploy_one(run: Run, otherwise: AipcError | None, accept: bool) -> DeployReport:
    """Deploy one model with fixed shapes into ``run.request.out``, journaled from its start to its end.

    Args:
        otherwise: what is to be said of a model that has no scales of its own.
    """
    request, journal = run.request, Journal(run.directory)
    with run_lock(run.directory):
        journal.write(
            "run started",
            model=request.ref.name,
            reference=request.ref.reference,
            soc=request.soc,
            precision=request.precision,
            target=request.target,
            allow_cpu=request.allow_cpu,
            calibration=request.calibration,
        )
        try:
            run = with_own_scales(run, journal)
            if otherwise is not None and run.plan is None:
                raise otherwise
            require_calibration(run)
            return _deploy_journaled(run, journal, accept)
        except AipcError as error:
            journal.write("run stopped", error=str(error), cancelled=isinstance(error, CancelledError))
            raise


def _deploy_journaled(run: Run, journal: Journal, accept: bool) -> DeployReport:
    started = time.perf_counter()
    out, directory = run.request.out, run.directory
    assert out is not None
    settled = _accepted(settle(run, journal), journal, accept)
    run, outcome = settled.run, settled.outcome
    diagnosis = diagnose(settled)
    findings = findings_of(run, diagnosis)
    capsule = None
    if outcome.failed:
        gate = gate_text(outcome.failed.gate) if outcome.failed.gate else ""
        capsule = write_capsule(run, outcome.failed, findings, gate)
    else:
        run.on_event(Event("report", "writing the package"))
    report = _deploy_report(settled, findings, out, capsule, time.perf_counter() - started)
    report = replace(report, node_accuracy=diagnosis.accuracy, metric=_metric(run))
    reports = write_reports(report, directory)
    if outcome.ok:
        deployments = {run.request.target: to_plain(run.artifacts[TargetExecution].result.environment)}
        try:
            package, probes = run.artifacts[BuiltPackage].package, verified_probes(run)
            install_package(package, out, _gates(outcome), deployments, reports, probes)
        except AipcError:
            for path in reports:
                path.unlink()  # it would report a package that is not there
            raise
    journal.write("run done", ok=report.ok, package=report.package, capsule=report.capsule)
    return report


def _accepted(settled: Settled, journal: Journal, accept: bool) -> Settled:
    """The settled run; where only its accuracy is missed, accepted by the user's word, or saying how to."""
    outcome, verification = settled.outcome, settled.run.artifacts.get(Verification)
    if verification is None:
        return settled
    reached = accepting.reached_db(outcome, verification.outputs, probe_results(settled.run))
    if reached is None:
        return settled
    if not accept:
        return replace(settled, outcome=accepting.offer(outcome, reached))
    journal.write("accuracy accepted", sqnr_db=reached, gate=outcome.gate)
    return replace(settled, outcome=accepting.accept(outcome, reached))


def _metric(build: Build) -> dict[str, float] | None:
    verification = build.artifacts.get(Verification)
    metric = verification.metric if verification else None
    return {metric.name: metric.value, **metric.more} if metric else None


def _gates(outcome: Outcome) -> dict[str, Any]:
    return {record.name: to_plain(record.gate) for record in outcome.records if record.gate}


def _deploy_report(
    settled: Settled, findings: tuple[Finding, ...], out: Path, capsule: Path | None, seconds: float
) -> DeployReport:
    run, outcome = settled.run, settled.outcome
    placed, execution = run.deployed_placement, run.artifacts.get(TargetExecution)
    timings = {record.name: record.seconds for record in outcome.records} | {"total": round(seconds, 4)}
    return DeployReport(
        model=run.request.ref.name,
        soc=run.request.soc,
        precision=run.precision,
        target=run.request.target,
        ok=outcome.ok,
        stages=outcome.records,
        package=str(out) if outcome.ok else None,
        placement=counts(placed) if placed else None,
        accuracy=_accuracy(run),
        latency=execution.result.latency if execution else None,
        timings=timings,
        findings=findings,
        capsule=str(capsule) if capsule else None,
        run=str(run.directory),
        environment=dict(environment()),
        device=to_plain(execution.result) if execution else None,
        frontier=settled.frontier,
        remedies=settled.remedies,
        compiled=_compiled(run),
        probes=probe_results(run),
    )


def _accuracy(build: Build) -> dict[str, tuple[OutputAccuracy, ...]] | None:
    verification = build.artifacts.get(Verification)
    if verification is None:
        return None
    figures = {"outputs": verification.outputs, "slices": verification.slices}
    return {name: figure for name, figure in figures.items() if figure} or None


def _compiled(build: Build) -> dict[str, int] | None:
    compiled = build.artifacts.get(CompiledGraph)
    if compiled is None:
        return None
    traffic: dict[str, int | None] = to_plain(compiled.result.traffic)
    planned = {name: value for name, value in traffic.items() if name.endswith("_bytes") and value is not None}
    return {"bytes": compiled.bytes, **planned}
