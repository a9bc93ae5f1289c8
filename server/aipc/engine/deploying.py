"""Deploy: from a model to a verified package, with a gate after each stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aipc.core.config import ModelRef
from aipc.core.errors import AipcError, CancelledError, QairtError
from aipc.core.json import from_plain, to_plain
from aipc.core.names import state_path
from aipc.core.types import (
    DeployReport,
    Event,
    OutputAccuracy,
)
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.buckets import variants
from aipc.pipeline.capsule import write_capsule
from aipc.pipeline.driver import Outcome, gate_text, run_stages
from aipc.pipeline.effective import in_effect
from aipc.pipeline.gates import PACKAGE_SQNR_DB
from aipc.pipeline.journal import Journal, new_run_directory, run_lock
from aipc.pipeline.package import check_output, install_package, recover_output
from aipc.pipeline.stage import Request, Run
from aipc.pipeline.stages.rewrite import deployed_placement
from aipc.pipeline.versions import environment
from aipc.qairt.runtime import require_qairt
from aipc.qairt.soc import get_soc
from aipc.report import write_reports
from aipc.rewrites.results import Trigger
from aipc.targets import RunOptions, get_target

from ._run import OnEvent, calibrated, counts, localize, needs_integers, new_run, resolve
from .chips import deploy_for_chips, several_socs
from .places import device_soc
from .precision import SEARCHED, Settled, blame, correct, search


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """``out``: where the package goes, ``.aipc/packages/MODEL-SOC-PRECISION`` beside the configuration by default."""

    model: str
    soc: str | None = None
    precision: str | None = None
    target: str | None = None
    inputs: Mapping[str, str] | None = None
    out: Path | None = None
    allow_cpu: bool = False
    cwd: Path | None = None
    use_cache: bool = True
    calibration: str | None = None
    """A folder, an array file, ``file.py:name`` or ``random``; the configuration's by default."""
    calibration_count: int | None = None
    integer_io: bool = False
    """A quantized package takes and gives the integers themselves."""
    setup: bool = False
    """The user agrees that a device is set up where it lacks something."""
    captured: ModelRef | None = None
    """The model where it was captured already, in the process of its author; ``model`` is then its name."""


def deploy(
    request: DeployRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> DeployReport:
    """Take a model to a verified package, every stage gated, cached and journaled.

    Raises:
        AipcError: a stage could not be run. A gate that is not passed is a report with ``ok`` False.
    """
    if socs := several_socs(request.soc):
        return deploy_for_chips(request, socs, pool, on_event, cancel)
    started = time.perf_counter()
    ref, soc, precision, config = resolve(
        request.captured or request.model,
        request.soc,
        request.precision,
        request.inputs,
        request.cwd,
        request.calibration,
    )
    require_qairt()
    target = in_effect(config, ref.config, soc=soc, target=request.target).target.value
    get_target(target)
    if target != "simulator":
        # The device says which chip it is, and what its NPU computes in follows from the chip.
        soc = device_soc(target, request.soc, soc, config, pool, on_event, cancel, request.model)
        ref, soc, precision, config = resolve(
            request.captured or request.model, soc, request.precision, request.inputs, request.cwd, request.calibration
        )
    if precision == "fp16" and request.precision is None and get_soc(soc).fp16 == "no":
        raise needs_integers(ref, soc, target)
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
            run = new_run(asked, workers, on_event, cancel, new_run_directory(ref.root), request.use_cache)
            if request.integer_io and run.plan is not None:
                run.plan = replace(run.plan, quantized_io=True)
            reports[name] = _deploy_one(run)
            if not reports[name].ok:
                return reports[name]
    last = next(reversed(reports.values()))
    if len(reports) == 1:
        return last
    timings = {"total": round(time.perf_counter() - started, 4)}
    packages = {name: report.package for name, report in reports.items() if report.package}
    return replace(last, package=str(out), packages=packages, timings=timings)


def _deploy_one(run: Run) -> DeployReport:
    """Deploy one model with fixed shapes into ``run.request.out``, journaled from its start to its end."""
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
            return _deploy_journaled(run, journal)
        except AipcError as error:
            journal.write("run stopped", error=str(error), cancelled=isinstance(error, CancelledError))
            raise


def _deploy_journaled(run: Run, journal: Journal) -> DeployReport:
    started = time.perf_counter()
    out, directory = run.request.out, run.directory
    assert out is not None
    settled = _settled(run, journal)
    outcome = settled.outcome
    accuracy, culprits = (
        blame(run, settled) if outcome.failed is None or outcome.failed.name == "verify" else (None, ())
    )
    run.findings += culprits
    capsule = None
    if outcome.failed:
        if outcome.failed.name == "verify" and run.plan is None:
            run.findings += localize(run)
        gate = gate_text(outcome.failed.gate) if outcome.failed.gate else ""
        capsule = write_capsule(run, outcome.failed, run.findings, gate)
    else:
        run.on_event(Event("report", "writing the package"))
        if run.plan is None and _below_threshold(run, outcome):
            run.findings += localize(run)
    report = _deploy_report(run, outcome, out, capsule, time.perf_counter() - started)
    report = replace(report, frontier=settled.frontier, node_accuracy=accuracy, metric=_metric(run))
    reports = write_reports(report, directory)
    if outcome.ok:
        deployments = {run.request.target: run.meta("run")["environment"]}
        try:
            install_package(run.path("package", "package"), out, _gates(outcome), deployments, reports)
        except AipcError:
            for path in reports:
                path.unlink()  # it would report a package that is not there
            raise
    journal.write("run done", ok=report.ok, package=report.package, capsule=report.capsule)
    return report


def _settled(run: Run, journal: Journal) -> Settled:
    """All stages, in the precision that was asked for, that a search takes, or that a failed gate leads to."""
    if run.request.precision in SEARCHED:
        return search(run, journal)
    outcome = _run_all(run, journal)
    if run.plan is None or outcome.failed is None or outcome.failed.name != "verify":
        return Settled(outcome)
    return correct(run, journal, run.plan)


def _metric(run: Run) -> dict[str, float] | None:
    found = run.meta("verify").get("metric") if "verify" in run.entries else None
    return {found["name"]: found["value"], **found["more"]} if found else None


def _run_all(run: Run, journal: Journal) -> Outcome:
    """All stages; a graph that does not compile, or misses its accuracy, is rewritten further as far as rules go."""
    better_than: Outcome | None = None
    while True:
        try:
            outcome = run_stages(run, journal)
        except QairtError as error:
            if better_than is not None:
                return _without_coarse(run, journal)
            if "rewrite" not in run.entries or "compile" in run.entries:
                raise
            journal.write("compile failed", error=str(error))
            changed, outcome = _rewrite_further(run, journal, Trigger.UNBUILDABLE)
            if not changed and outcome.ok and not run.search:
                # Which nodes are to blame? Where a rule cures them, the graph changes.
                run.search = True
                changed, outcome = _rewrite_further(run, journal, None)
            if not outcome.ok:
                return outcome
            if not changed:
                raise
            continue
        if better_than is not None and not _is_better(outcome, better_than):
            return _without_coarse(run, journal)
        # Where correctly rounded fp16 is as far off, another form of the model may still be near.
        poor = outcome.failed is None and run.request.precision == "fp16" and _below_threshold(run, outcome)
        if not poor and (outcome.failed is None or outcome.failed.name != "verify" or run.plan is not None):
            return outcome
        changed, again = _rewrite_further(run, journal, Trigger.COARSE)
        if not changed or not again.ok:
            return _without_coarse(run, journal) if poor and not again.ok else outcome
        better_than = outcome if poor else None


def _is_better(outcome: Outcome, before: Outcome) -> bool:
    """Whether a package passes, nearer to PyTorch than another."""
    values = [
        next((record.gate.value for record in item.records if record.name == "verify" and record.gate), None)
        for item in (outcome, before)
    ]
    return outcome.ok and values[0] is not None and (values[1] is None or values[0] > values[1])


def _without_coarse(run: Run, journal: Journal) -> Outcome:
    """The package as it was before the rules for what is coarse were tried, from the cache."""
    run.triggers.discard(Trigger.COARSE)
    journal.write("corrective", stage="rewrite", measure="leave out the rules for what is coarse: they do not help")
    return run_stages(run, journal)


def _rewrite_further(run: Run, journal: Journal, trigger: Trigger | None) -> tuple[bool, Outcome]:
    """Run up to the rewrite stage with more rules. Tells whether that gives another graph."""
    digest = run.float_digest
    if trigger is not None and trigger in run.triggers:
        return False, Outcome()
    if trigger is not None:
        run.triggers.add(trigger)
        journal.write("corrective", stage="rewrite", measure=f"apply the rules for what is {trigger.value}")
    outcome = run_stages(run, journal, until="rewrite")
    changed = run.float_digest != digest
    if changed:
        for name in ("calibrate", "quantize", "compile", "package", "run", "verify"):
            run.entries.pop(name, None)
    return changed, outcome


def _below_threshold(run: Run, outcome: Outcome) -> bool:
    """Whether the package passed only because fp16 itself can do no better: worth a finding, not a failure.

    What a lower tolerance of the author's allows is no matter for one.
    """
    threshold = min(PACKAGE_SQNR_DB, run.request.tolerance.get("sqnr_db", PACKAGE_SQNR_DB))
    gate = next((record.gate for record in outcome.records if record.name == "verify"), None)
    return gate is not None and gate.metric == "sqnr_db" and gate.value is not None and gate.value < threshold


def _gates(outcome: Outcome) -> dict[str, Any]:
    return {record.name: to_plain(record.gate) for record in outcome.records if record.gate}


def _deploy_report(run: Run, outcome: Outcome, out: Path, capsule: Path | None, seconds: float) -> DeployReport:
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
        precision=run.request.precision,
        target=run.request.target,
        ok=outcome.ok,
        stages=tuple(outcome.records),
        package=str(out) if outcome.ok else None,
        placement=counts(placed) if placed else None,
        accuracy=accuracy,
        latency=latency,
        timings=timings,
        findings=tuple(run.findings),
        capsule=str(capsule) if capsule else None,
        run=str(run.directory),
        environment=dict(environment()),
        device=dict(run.meta("run")) if "run" in run.entries else None,
    )
