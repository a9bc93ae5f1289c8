"""Deploy for one chip: from a model to a verified package, with a gate after each stage."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError, CancelledError
from aipc.core.json import from_plain, to_plain
from aipc.core.names import state_path
from aipc.core.requests import DeployRequest
from aipc.core.types import (
    DeployReport,
    Event,
    Finding,
    OutputAccuracy,
)
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.buckets import variants
from aipc.pipeline.capsule import write_capsule
from aipc.pipeline.deployment import Settled, node_errors, settle
from aipc.pipeline.effective import in_effect
from aipc.pipeline.gates import PACKAGE_SQNR_DB
from aipc.pipeline.journal import Journal, new_run_directory, run_lock
from aipc.pipeline.outcome import Outcome, gate_text
from aipc.pipeline.own_quantization import with_own_scales
from aipc.pipeline.package import check_output, install_package, recover_output
from aipc.pipeline.probing import at_culprits, probe_results, verified_probes
from aipc.pipeline.run_findings import findings_of
from aipc.pipeline.stage import Request, Run
from aipc.pipeline.stages.rewrite import deployed_placement
from aipc.pipeline.versions import environment
from aipc.qairt.runtime import require_qairt
from aipc.qairt.soc import get_soc
from aipc.report import write_reports
from aipc.targets import RunOptions, get_target

from ._run import OnEvent, calibrated, configured, counts, localize, needs_integers, new_run, resolve
from .places import device_soc


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
            asked = Request(variant, soc, precision, target, request.allow_cpu, False, out / name, tolerance)
            asked = calibrated(replace(asked, device=options), request.calibration, request.calibration_count)
            asked = replace(asked, integer_io=request.integer_io, probes=request.probes)
            run = new_run(asked, workers, on_event, cancel, new_run_directory(ref.root), request.use_cache)
            reports[name] = _deploy_one(run, otherwise)
            if not reports[name].ok:
                return reports[name]
    last = next(reversed(reports.values()))
    if len(reports) == 1:
        return last
    timings = {"total": round(time.perf_counter() - started, 4)}
    packages = {name: report.package for name, report in reports.items() if report.package}
    return replace(last, package=str(out), packages=packages, timings=timings)


def _deploy_one(run: Run, otherwise: AipcError | None) -> DeployReport:
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
            return _deploy_journaled(run, journal)
        except AipcError as error:
            journal.write("run stopped", error=str(error), cancelled=isinstance(error, CancelledError))
            raise


def _deploy_journaled(run: Run, journal: Journal) -> DeployReport:
    started = time.perf_counter()
    out, directory = run.request.out, run.directory
    assert out is not None
    settled = settle(run, journal)
    run, outcome = settled.run, settled.outcome
    judged = outcome.failed is None or outcome.failed.name == "verify"
    accuracy, culprits = node_errors(settled) if judged else (None, ())
    findings = [*findings_of(run), *culprits]
    capsule = None
    if outcome.failed:
        if outcome.failed.name == "verify" and run.plan is None:
            findings += localize(run)
        gate = gate_text(outcome.failed.gate) if outcome.failed.gate else ""
        capsule = write_capsule(run, outcome.failed, findings, gate)
    else:
        run.on_event(Event("report", "writing the package"))
        if run.plan is None and _is_below_threshold(run, outcome):
            findings += localize(run)
    report = _deploy_report(settled, tuple(at_culprits(findings)), out, capsule, time.perf_counter() - started)
    report = replace(report, node_accuracy=accuracy, metric=_metric(run))
    reports = write_reports(report, directory)
    if outcome.ok:
        deployments = {run.request.target: run.meta("run")["environment"]}
        try:
            package, probes = run.path("package", "package"), verified_probes(run)
            install_package(package, out, _gates(outcome), deployments, reports, probes)
        except AipcError:
            for path in reports:
                path.unlink()  # it would report a package that is not there
            raise
    journal.write("run done", ok=report.ok, package=report.package, capsule=report.capsule)
    return report


def _metric(run: Run) -> dict[str, float] | None:
    found = run.meta("verify").get("metric") if "verify" in run.entries else None
    return {found["name"]: found["value"], **found["more"]} if found else None


def _is_below_threshold(run: Run, outcome: Outcome) -> bool:
    """Whether the package passed only because fp16 itself can do no better: worth a finding, not a failure.

    What a lower tolerance of the author's allows is no matter for one.
    """
    threshold = min(PACKAGE_SQNR_DB, run.request.tolerance.get("sqnr_db", PACKAGE_SQNR_DB))
    gate = next((record.gate for record in outcome.records if record.name == "verify"), None)
    return gate is not None and gate.metric == "sqnr_db" and gate.value is not None and gate.value < threshold


def _gates(outcome: Outcome) -> dict[str, Any]:
    return {record.name: to_plain(record.gate) for record in outcome.records if record.gate}


def _deploy_report(
    settled: Settled, findings: tuple[Finding, ...], out: Path, capsule: Path | None, seconds: float
) -> DeployReport:
    run, outcome = settled.run, settled.outcome
    placed = deployed_placement(run) if "placement" in run.entries else None
    verified = run.meta("verify") if "verify" in run.entries else {}
    accuracy = {
        name: from_plain(verified[name], tuple[OutputAccuracy, ...])
        for name in ("outputs", "slices")
        if verified.get(name)
    } or None
    latency = run.meta("run")["latency"] if "run" in run.entries else None
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
        accuracy=accuracy,
        latency=latency,
        timings=timings,
        findings=findings,
        capsule=str(capsule) if capsule else None,
        run=str(run.directory),
        environment=dict(environment()),
        device=dict(run.meta("run")) if "run" in run.entries else None,
        frontier=settled.frontier,
        remedies=settled.remedies,
        compiled=_compiled(run),
        probes=probe_results(run),
    )


def _compiled(run: Run) -> dict[str, int] | None:
    if "compile" not in run.entries:
        return None
    meta = run.meta("compile")
    planned = {name: value for name, value in meta["traffic"].items() if name.endswith("_bytes") and value is not None}
    return {"bytes": sum(meta["sizes"].values()), **planned}
