"""Check: capture a model and ask QAIRT about every node."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from aipc.core.cache import Cache
from aipc.core.plain_data import from_plain
from aipc.core.requests import CheckRequest
from aipc.core.types import (
    CheckReport,
    Finding,
    Placement,
    Severity,
    SourceMap,
)
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.artifacts import (
    Artifact,
    CapturedGraph,
    GraphPlacement,
    QuantizedGraph,
    RewrittenGraph,
    read_source_map,
)
from aipc.pipeline.attribution import located
from aipc.pipeline.captured_placement import captured_placement
from aipc.pipeline.deployment import settle
from aipc.pipeline.diagnosis import Diagnosis, localize
from aipc.pipeline.journal import Journal
from aipc.pipeline.node_error import captured_accuracy
from aipc.pipeline.outcome import Outcome
from aipc.pipeline.request import Request
from aipc.pipeline.run import Run
from aipc.pipeline.run_findings import findings_of
from aipc.qairt.runtime import require_qairt
from aipc.quantize.plan import EXAMPLE, UNIFORM, is_quantized
from aipc.rewrites import worker_jobs as rewrites_jobs
from aipc.source import split_lines
from aipc.source.ignores import shown_findings

from ._run import OnEvent, calibrated, counts, new_run, resolve
from .check_records import node_accuracy
from .known_wrong import with_known_wrong

_NO_DATA = (
    "placement was asked with ranges from the example inputs alone: it does not depend on them, and to deploy this "
    "precision needs calibration data."
)


@contextmanager
def opened_run(
    request: CheckRequest,
    goals: Collection[type[Artifact]],
    pool: WorkerPool | None,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> Iterator[tuple[Run, Outcome]]:
    """A model built as far as ``goals`` take it, in a directory of its own.

    The directory is kept when something raises: errors name its logs.

    Raises:
        AipcError: the model cannot be found or loaded, or a part is missing.
    """
    ref, soc, precision, _ = resolve(
        request.captured or request.model,
        request.soc,
        request.precision,
        request.inputs,
        request.cwd,
        request.calibration,
    )
    run_request = Request(replace(ref, unsaved=request.unsaved), soc, precision, finalize=request.full)
    run_request = calibrated(run_request, request.calibration, None)
    if run_request.calibration is None:
        # Where a node runs does not depend on ranges.
        run_request = replace(run_request, calibration=EXAMPLE)
    if is_quantized(precision) and precision in UNIFORM:
        goals = (*goals, QuantizedGraph)
    directory = Cache().root / "checks" / f"{os.getpid()}-{time.time_ns()}"
    with pool_or_new(pool) as workers:
        run = new_run(run_request, workers, on_event, cancel, directory, request.use_cache)
        settled = settle(run, Journal(directory), goals)
        yield settled.run, settled.outcome
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
    goals = (RewrittenGraph if request.full else GraphPlacement,)
    with opened_run(request, goals, pool, on_event, cancel) as (run, outcome):
        accuracy = captured_accuracy(run) if request.numerics else None
        measures = request.numerics and GraphPlacement in run.artifacts and run.plan is None
        diagnosis = Diagnosis(localized=localize(run)) if measures else None
        findings = list(findings_of(run, diagnosis))
        if run.plan is not None and not run.plan.own and run.request.calibration == EXAMPLE:
            findings.append(Finding("no-calibration-data", Severity.INFORMATION, _NO_DATA, None))
        placed, captured = captured_placement(run), run.artifacts.get(CapturedGraph)
        if placed is not None and captured is not None and run.plan is None and run.precision == "fp16":
            known = {"rewritten": request.full and RewrittenGraph in run.artifacts}
            findings = list(with_known_wrong(findings, placed, captured.source_map, request.unsaved, **known))
        if any(finding.fixes for finding in findings):
            proposed = run.job(rewrites_jobs.PROPOSE, findings=findings, unsaved=dict(request.unsaved))
            findings = list(proposed)
        shown = _not_ignored(findings, request.unsaved)
    timings = {record.name: record.seconds for record in outcome.records}
    timings["total"] = round(time.perf_counter() - started, 4)
    captured = captured if captured is not None and captured.has_graph else None
    report = CheckReport(
        model=run.request.ref.name,
        soc=run.request.soc,
        precision=run.request.precision,
        qairt=version,
        nodes=len(placed.nodes) if placed else 0,
        placement=counts(placed),
        findings=shown,
        timings=timings,
        partitions=placed.npu_partitions if placed else 0,
        graph=str(captured.graph) if captured else None,
        source_map=str(captured.source_map_file) if captured else None,
        node_placements=placed.nodes if placed else (),
        accuracy=accuracy,
        ignored=len(findings) - len(shown),
    )
    if accuracy or not request.numerics or run.plan is not None or not placed or placed.count(Placement.FAILS):
        return report
    with pool_or_new(pool) as workers:
        accuracy = node_accuracy(report, workers, on_event, cancel)
    sources = read_source_map(Path(report.source_map)) if report.source_map else SourceMap()
    kinds = {node.node: node.op_type for node in report.node_placements}
    return replace(report, accuracy=located(accuracy, sources, kinds))


def _not_ignored(findings: Sequence[Finding], unsaved: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings that no comment of the author's hides."""
    shown = tuple(findings)
    for file in {finding.range.file for finding in findings if finding.range}:
        try:
            text = unsaved[file] if file in unsaved else Path(file).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        shown = shown_findings(shown, split_lines(text), file)
    return shown


def captured_files(report: CheckReport) -> Mapping[str, str]:
    """Path -> SHA-256 of every file of the author's that a checked model was captured from; empty where unknown."""
    entry = Cache().get(Path(report.graph).parent.name) if report.graph else None
    return from_plain(dict(entry.meta), CapturedGraph).result.files if entry else {}
