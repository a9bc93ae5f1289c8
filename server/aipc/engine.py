"""What a user asks for. The only module that front doors call; it imports nothing heavy."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aipc.capture.results import InferredInputs
from aipc.core.cache import Cache
from aipc.core.config import DEFAULT_SOC, Config, ModelRef, load_config, resolve_model, write_model_config
from aipc.core.errors import AipcError, CancelledError, InputError, QairtError
from aipc.core.hashing import hash_value
from aipc.core.json import from_plain, to_plain
from aipc.core.types import (
    CheckReport,
    DeployReport,
    Event,
    Finding,
    Gate,
    OutputAccuracy,
    Placement,
)
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.ops import run as operator_runs
from aipc.ops import shares as operator_shares
from aipc.pipeline.buckets import variants
from aipc.pipeline.capsule import write_capsule
from aipc.pipeline.driver import Outcome, gate_text, run_stages
from aipc.pipeline.findings import numerics_findings, read_source_map
from aipc.pipeline.gates import PACKAGE_SQNR_DB, package_gate
from aipc.pipeline.journal import Journal, model_lock, new_run_directory, run_lock
from aipc.pipeline.package import check_package, install_package
from aipc.pipeline.runs import RunSummary, list_runs
from aipc.pipeline.solved import deployed_source_map
from aipc.pipeline.stage import Request, Run
from aipc.pipeline.stages.placement import placement_report
from aipc.pipeline.stages.rewrite import deployed_placement
from aipc.pipeline.versions import environment
from aipc.qairt.results import Localization, NodeAccuracy
from aipc.qairt.runtime import require_qairt
from aipc.qairt.soc import get_soc
from aipc.report import write_reports
from aipc.rewrites.results import Trigger
from aipc.targets import Description, all_targets, get_target

OnEvent = Callable[[Event], None]


def _ignore(event: Event) -> None:
    return None


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """``full``: also compile to the end, which finds what only then fails, and see what deploy rewrites by itself.
    ``numerics``: also judge every node's own numbers on the simulator."""

    model: str
    soc: str | None = None
    precision: str | None = None
    inputs: Mapping[str, str] | None = None
    full: bool = True
    numerics: bool = False
    cwd: Path | None = None
    use_cache: bool = True
    unsaved: Mapping[str, str] = field(default_factory=dict)
    """Path -> text of source files that an editor has not saved; the model is read from these."""


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


@dataclass(frozen=True, slots=True)
class RunReport:
    """One execution of a package. ``latency`` is None unless a device measured it."""

    package: str
    target: str
    outputs: tuple[Mapping[str, Any], ...]
    output_file: str
    latency: Mapping[str, Any] | None
    host_seconds: float


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


def _resolve(
    model: str, soc: str | None, precision: str | None, inputs: Mapping[str, str] | None, cwd: Path | None
) -> tuple[ModelRef, str, str, Config]:
    """The model, SoC and precision: as asked, else as configured, else the default."""
    cwd = (cwd or Path.cwd()).resolve()
    config = load_config(cwd)
    ref = resolve_model(model, cwd, config)
    if model not in config.models:
        # A file elsewhere has its own configuration.
        config = load_config(ref.path.parent)
        ref = replace(ref, root=config.root)
    if inputs:
        ref = replace(ref, inputs=dict(inputs))
    of_model = ref.config
    name = soc or (of_model.soc if of_model else None) or config.soc or DEFAULT_SOC
    wanted = precision or (of_model.precision if of_model else None) or "fp16"
    if wanted != "fp16":
        raise InputError(
            f"precision {wanted} needs quantization, which this version does not have",
            remedy="use --precision fp16",
        )
    return ref, get_soc(name).part, wanted, config


def _new_run(
    request: Request,
    pool: WorkerPool,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
    directory: Path,
    use_cache: bool,
) -> Run:
    return Run(request, pool, Cache(), on_event or _ignore, cancel, directory, use_cache=use_cache)


@contextmanager
def opened_run(
    request: CheckRequest,
    stages: Sequence[str],
    pool: WorkerPool | None,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> Iterator[tuple[Run, Outcome]]:
    """Some stages of a model, in a directory of their own. It is kept when something raises: errors name its logs.

    Raises:
        AipcError: the model cannot be found or loaded, or a part is missing.
    """
    ref, soc, precision, _ = _resolve(request.model, request.soc, request.precision, request.inputs, request.cwd)
    asked = Request(replace(ref, unsaved=request.unsaved), soc, precision, finalize=request.full)
    directory = Cache().root / "checks" / f"{os.getpid()}-{time.time_ns()}"
    with pool_or_new(pool) as workers:
        run = _new_run(asked, workers, on_event, cancel, directory, request.use_cache)
        outcome = run_stages(run, Journal(directory), only=stages)
        yield run, outcome
        shutil.rmtree(directory, ignore_errors=True)


def check(
    request: CheckRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> CheckReport:
    """Capture a model and say what QAIRT thinks of every node.

    Raises:
        AipcError: the check could not be made (bad input, missing part). An export failure is a finding.
    """
    started = time.perf_counter()
    version = require_qairt()
    stages = ("capture", "placement", "rewrite") if request.full else ("capture", "placement")
    with opened_run(request, stages, pool, on_event, cancel) as (run, outcome):
        findings = list(run.findings)
        if request.numerics and "placement" in run.entries:
            findings += _localize(run)
        if any(finding.fixes for finding in findings):
            findings = list(run.job("aipc.rewrites.jobs:propose", findings=findings, unsaved=dict(request.unsaved)))
    timings = {record.name: record.seconds for record in outcome.records}
    timings["total"] = round(time.perf_counter() - started, 4)
    placed = placement_report(run) if "placement" in run.entries else None
    captured = run.entries.get("capture")
    has_graph = captured is not None and (captured.path / "model.onnx").is_file()
    return CheckReport(
        model=run.request.ref.name,
        soc=run.request.soc,
        precision=run.request.precision,
        qairt=version,
        nodes=len(placed.nodes) if placed else 0,
        placement=_counts(placed),
        findings=tuple(findings),
        timings=timings,
        partitions=placed.npu_partitions if placed else 0,
        graph=str(captured.path / "model.onnx") if captured and has_graph else None,
        source_map=str(captured.path / "source_map.json") if captured and has_graph else None,
        node_placements=placed.nodes if placed else (),
    )


def _counts(report: Any) -> dict[str, int]:
    return {place.value: report.count(place) if report else 0 for place in Placement}


def _localize(run: Run) -> tuple[Finding, ...]:
    found: Localization = run.job(
        "aipc.qairt.package_jobs:localize",
        model=str(run.graph),
        inputs_npz=str(run.path("capture", "inputs.npz")),
        soc=run.request.soc,
        divergence=True,
        seconds=120.0,
    )
    return numerics_findings(found, deployed_source_map(run), run.request.soc)


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
    started = time.perf_counter()
    ref, soc, precision, config = _resolve(request.model, request.soc, request.precision, request.inputs, request.cwd)
    require_qairt()
    target = request.target or config.target or "simulator"
    get_target(target)
    out = request.out or ref.root / ".aipc" / "packages" / f"{ref.name}-{soc}-{precision}"
    out = (request.cwd or Path.cwd()) / out
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file", remedy="choose a directory with --output")
    tolerance = dict(ref.config.tolerance) if ref.config else {}
    reports: dict[str, DeployReport] = {}
    with pool_or_new(pool) as workers, model_lock(ref.root, f"{ref.name}-{soc}-{precision}"):
        for name, variant in variants(ref):
            # The compile stage finalizes anyway; the placement stage does so only when that fails, to find the nodes.
            asked = Request(variant, soc, precision, target, request.allow_cpu, False, out / name, tolerance)
            run = _new_run(asked, workers, on_event, cancel, new_run_directory(ref.root), request.use_cache)
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
    outcome = _run_all(run, journal)
    capsule = None
    if outcome.failed:
        if outcome.failed.name == "verify":
            run.findings += _localize(run)
        gate = gate_text(outcome.failed.gate) if outcome.failed.gate else ""
        capsule = write_capsule(run, outcome.failed, run.findings, gate)
    else:
        run.on_event(Event("report", "writing the package"))
        if _below_threshold(outcome):
            run.findings += _localize(run)
        install_package(run.path("package", "package"), out, _gates(outcome))
    report = _deploy_report(run, outcome, out, capsule, time.perf_counter() - started)
    write_reports(report, directory, out if outcome.ok else None)
    journal.write("run done", ok=report.ok, package=report.package, capsule=report.capsule)
    return report


def _run_all(run: Run, journal: Journal) -> Outcome:
    """All stages; a graph that does not compile, or misses its accuracy, is rewritten further as far as rules go."""
    while True:
        try:
            outcome = run_stages(run, journal)
        except QairtError as error:
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
        if outcome.failed is None or outcome.failed.name != "verify":
            return outcome
        changed, again = _rewrite_further(run, journal, Trigger.COARSE)
        if not changed or not again.ok:
            return outcome


def _rewrite_further(run: Run, journal: Journal, trigger: Trigger | None) -> tuple[bool, Outcome]:
    """Run up to the rewrite stage with more rules. Tells whether that gives another graph."""
    digest = run.graph_digest
    if trigger is not None and trigger in run.triggers:
        return False, Outcome()
    if trigger is not None:
        run.triggers.add(trigger)
        journal.write("corrective", stage="rewrite", measure=f"apply the rules for what is {trigger.value}")
    outcome = run_stages(run, journal, until="rewrite")
    changed = run.graph_digest != digest
    if changed:
        for name in ("compile", "package", "run", "verify"):
            run.entries.pop(name, None)
    return changed, outcome


def _below_threshold(outcome: Outcome) -> bool:
    """Whether the package passed only because fp16 itself can do no better: worth a finding, not a failure."""
    gate = next((record.gate for record in outcome.records if record.name == "verify"), None)
    return gate is not None and gate.value is not None and gate.value < PACKAGE_SQNR_DB


def _gates(outcome: Outcome) -> dict[str, Any]:
    return {record.name: to_plain(record.gate) for record in outcome.records if record.gate}


def _deploy_report(run: Run, outcome: Outcome, out: Path, capsule: Path | None, seconds: float) -> DeployReport:
    placed = deployed_placement(run) if "placement" in run.entries else None
    accuracy = (
        {"outputs": from_plain(run.meta("verify")["outputs"], tuple[OutputAccuracy, ...])}
        if "verify" in run.entries
        else None
    )
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
        placement=_counts(placed) if placed else None,
        accuracy=accuracy,
        latency=latency,
        timings=timings,
        findings=tuple(run.findings),
        capsule=str(capsule) if capsule else None,
        run=str(run.directory),
        environment=dict(environment()),
    )


def run_package(
    package: Path,
    inputs: Path | None = None,
    output: Path | None = None,
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> RunReport:
    """Run a package on ``inputs`` (.npz; the golden ones by default) and write its outputs to ``output`` (.npz).

    Needs onnxruntime, onnxruntime-qnn and numpy; no PyTorch.
    """
    package = package.resolve()
    manifest = check_package(package)
    require_qairt()
    source = (inputs or package / "golden" / "inputs.npz").resolve()
    destination = (output or Path("outputs.npz")).resolve()
    with pool_or_new(pool) as workers:

        def job(name: str, **arguments: Any) -> Any:
            return workers.run(name, arguments, on_event=on_event, cancel=cancel)

        result = get_target(target).run(job, package=package, inputs=source, outputs=destination, soc=manifest["soc"])
    return RunReport(
        str(package),
        target,
        tuple(manifest["outputs"]),
        str(destination),
        result.latency,
        result.host_seconds,
    )


def verify(
    package: Path,
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> VerifyReport:
    """Run a package's golden inputs again and gate its outputs, as its deployment did."""
    package = package.resolve()
    manifest = check_package(package)
    with pool_or_new(pool) as workers, tempfile.TemporaryDirectory() as directory:
        actual = Path(directory) / "outputs.npz"
        run_package(package, None, actual, target, workers, on_event, cancel)
        arguments = {"reference_npz": str(package / "golden" / "outputs.npz"), "actual_npz": str(actual)}
        outputs = workers.run("aipc.qairt.package_jobs:compare", arguments, on_event=on_event, cancel=cancel)
        deployed = manifest.get("gates", {})
        gate = package_gate(outputs, {"sqnr_db": _verify_threshold(manifest, deployed.get("verify", {}))})
        findings = () if gate.ok else _localize_package(manifest, workers, on_event, cancel)
    return VerifyReport(
        str(package), manifest["model"], manifest["soc"], target, gate.ok, gate, tuple(outputs), deployed, findings
    )


def _verify_threshold(manifest: Mapping[str, Any], passed: Mapping[str, Any]) -> float:
    """The threshold of the deployment; a package that passed below it, by the rule on ideal fp16, keeps what it had."""
    threshold = float(passed.get("threshold", manifest["self_test_sqnr_db"]))
    had = passed.get("value")
    return min(threshold, float(had) - 1.0) if isinstance(had, (int, float)) else threshold


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
    found = pool.run("aipc.qairt.package_jobs:localize", arguments, on_event=on_event, cancel=cancel)
    return numerics_findings(found, read_source_map(entry.path / "source_map.json"), manifest["soc"])


def runs(directory: Path) -> tuple[RunSummary, ...]:
    """The runs of the project that ``directory`` belongs to, the newest first."""
    return list_runs(load_config(directory).root)


def node_accuracy(
    report: CheckReport,
    pool: WorkerPool,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> NodeAccuracy:
    """Error of every readable node of a checked model, on the simulator of its SoC; kept in the cache.

    Raises:
        InputError: the check has no graph. QairtError: the graph does not run.
    """
    if report.graph is None:
        raise InputError(f"{report.model} was not captured", remedy="correct what the check found first")
    graph = Path(report.graph)
    cache = Cache()
    arguments = {"model": str(graph), "inputs_npz": str(graph.parent / "inputs.npz"), "soc": report.soc}
    key = hash_value({"accuracy": 1, "graph": graph.parent.name, "soc": report.soc, "qairt": report.qairt})

    def build(directory: Path) -> Mapping[str, Any]:
        found = pool.run("aipc.qairt.node_accuracy:node_accuracy", arguments, on_event=on_event, cancel=cancel)
        plain: Mapping[str, Any] = to_plain(found)
        return plain

    return from_plain(dict(cache.put(key, build).meta), NodeAccuracy)


def graph(report: CheckReport, pool: WorkerPool) -> Path:
    """The captured graph without its weights, for a viewer."""
    if report.graph is None:
        raise InputError(f"{report.model} was not captured", remedy="correct what the check found first")
    source = Path(report.graph)

    def build(directory: Path) -> Mapping[str, Any]:
        arguments = {"model": str(source), "out": str(directory / "model.onnx")}
        return {"nodes": pool.run("aipc.capture.outline:outline", arguments)}

    return Cache().put(hash_value({"outline": 1, "graph": source.parent.name}), build).path / "model.onnx"


def targets() -> tuple[Description, ...]:
    """Every place where a package can run, with the reason where it cannot."""
    return tuple(item for target in all_targets() for item in target.discover())


def infer(
    model: str,
    *,
    cwd: Path | None = None,
    write: bool = False,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> InferredInputs:
    """The example inputs that would be used for ``model``; with ``write``, kept in the configuration."""
    ref, _, _, config = _resolve(model, None, None, None, cwd)
    with pool_or_new(pool) as workers:
        found: InferredInputs = workers.run("aipc.capture.jobs:infer", {"ref": ref}, on_event=on_event, cancel=cancel)
    if write:
        _remember(ref, config, found.shapes)
    return found


def configure(model: str, inputs: Mapping[str, str], *, cwd: Path | None = None) -> str:
    """Keep a model's example inputs in the configuration; returns the name that the model has there.

    Raises:
        AipcError: there is no such model, or the configuration cannot be read or written.
    """
    ref, _, _, config = _resolve(model, None, None, None, cwd)
    _remember(ref, config, inputs)
    return ref.name


def _remember(ref: ModelRef, config: Config, inputs: Mapping[str, str]) -> None:
    try:
        entry = f"{ref.path.relative_to(config.root).as_posix()}:{ref.attribute}"
    except ValueError:
        entry = f"{ref.path}:{ref.attribute}"
    write_model_config(config.root / "pyproject.toml", ref.name, entry=entry, inputs=inputs)


def probe_operators(
    archs: Sequence[str] = (),
    socs: Sequence[str] = (),
    fresh: bool = False,
    output: Path | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> operator_runs.Filled:
    """Measure what each torch operator does on ``archs`` and ``socs`` (every arch by default); write the data file."""
    chips = operator_runs.chips(archs, socs)
    with pool_or_new(pool) as workers:
        return operator_runs.fill(workers, on_event or _ignore, cancel, socs=chips, fresh=fresh, path=output)


def rewrite_operators(
    archs: Sequence[str] = (),
    socs: Sequence[str] = (),
    fresh: bool = False,
    data: Path | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> tuple[operator_shares.Share, ...]:
    """Measure the variants that do not run once more, rewritten as deploy does it; keep it in the data file."""
    chips = operator_runs.chips(archs, socs) if archs or socs else ()
    with pool_or_new(pool) as workers:
        return operator_shares.fill_rewritten(workers, on_event or _ignore, cancel, socs=chips, fresh=fresh, path=data)


def recheck_operators(
    percent: float,
    archs: Sequence[str] = (),
    socs: Sequence[str] = (),
    seed: int | None = None,
    data: Path | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> operator_runs.Rechecked:
    """Measure a random sample of the operator data again and compare."""
    chips = operator_runs.chips(archs, socs) if archs or socs else ()
    with pool_or_new(pool) as workers:
        return operator_runs.recheck(
            workers, on_event or _ignore, cancel, percent=percent, socs=chips, seed=seed, path=data
        )
