"""Which precision a model is deployed in: searched for, or corrected when its gate is not passed; who is to blame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from aipc.core.accuracy import NodeAccuracy
from aipc.core.errors import QairtError, WorkerCrashedError
from aipc.core.frontier import Frontier
from aipc.core.types import Finding, Severity
from aipc.pipeline.blame import culprit_findings, located
from aipc.pipeline.candidates import StageBench, node_accuracy, use
from aipc.pipeline.driver import Outcome, run_stages
from aipc.pipeline.findings import read_source_map
from aipc.pipeline.journal import Journal
from aipc.pipeline.stage import Run
from aipc.pipeline.stages.calibrate import calibration_set
from aipc.pipeline.stages.placement import placement_report
from aipc.pipeline.stages.rewrite import deployed_placement
from aipc.quantize.choosing import Search
from aipc.quantize.plan import QuantizationPlan

SEARCHED = frozenset({"auto", "mixed"})
"""Precisions that are searched for; the others are plans."""
_FEW_SAMPLES = 16
_TOLD_SECONDS = 15.0
"""For what each node does to the outputs of a package that passed: nobody waits for all of it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of the stages with the precision that was taken, and how it came about."""

    outcome: Outcome
    frontier: Frontier | None = None
    blamed: tuple[QuantizationPlan, NodeAccuracy] | None = None
    """The plan whose worst nodes were kept in a higher precision, and what its nodes introduce."""


def search(run: Run, journal: Journal) -> Settled:
    """Find the precision of a run that asks for ``auto`` or ``mixed``, and deploy with it. What fails is an outcome.

    Raises:
        InputError: there is no calibration data.
    """
    asked = run.request.precision
    outcome = run_stages(run, journal, until="rewrite")
    if not outcome.ok:
        return Settled(outcome)
    run.comparing = True
    bench = StageBench(run, journal, "candidate")
    found = Search(bench)
    return _settle(run, journal, bench, found, found.auto() if asked == "auto" else found.mixed())


def correct(run: Run, journal: Journal, plan: QuantizationPlan) -> Settled:
    """Try what applies to a quantized run whose accuracy gate was not passed, each try in the journal."""
    run.comparing = True
    bench = StageBench(run, journal, "corrective")
    found = Search(bench)
    return _settle(run, journal, bench, found, found.correct(plan))


def _settle(run: Run, journal: Journal, bench: StageBench, found: Search, frontier: Frontier) -> Settled:
    plan = found.chosen(frontier)
    use(run, plan, bench.findings)
    outcome = run_stages(run, journal)
    samples = calibration_set(run)
    notes = list(frontier.notes)
    if frontier.chosen is None and samples is not None and samples.samples < _FEW_SAMPLES:
        notes.append(f"only {samples.samples} samples calibrated: give more, the ranges of few are those of chance")
    metric = run.meta("verify").get("metric") if "verify" in run.entries else None
    frontier = replace(
        frontier,
        notes=tuple(notes),
        metric_name=metric["name"] if metric else "",
        metric_threshold=run.request.tolerance.get("metric"),
    )
    journal.write("precision settled", chosen=frontier.chosen, tried=len(frontier.tried), notes=notes)
    return Settled(outcome, frontier, found.blamed)


def blame(run: Run, settled: Settled) -> tuple[NodeAccuracy | None, tuple[Finding, ...]]:
    """Every node's error by the captured nodes, and findings at the lines that introduce it.

    A layer that was kept in a higher precision is told as information, with what it would introduce; when the gate was
    not passed, what still introduces the error is a warning.
    """
    found = measured(run, seconds=_TOLD_SECONDS if settled.outcome.ok else None)
    findings: list[Finding] = []
    sources = read_source_map(run.path("capture", "source_map.json"))
    kinds = {node.node: node.op_type for node in placement_report(run).nodes}
    plan = run.plan
    if settled.blamed and plan is not None and settled.outcome.ok and (plan.higher or plan.float_nodes):
        base, introduced = settled.blamed
        kept = {item for name in (*plan.higher, *plan.float_nodes) for item in _derived(run).get(name, (name,))}
        words = " Deploy keeps it at 16 bits." if plan.higher else " Deploy keeps it in fp16."
        for finding in culprit_findings(
            _located(run, introduced), sources, base.label, bits=base.activation_bits, kinds=kinds
        ):
            if kept.intersection(finding.nodes):
                told = replace(finding, severity=Severity.INFORMATION, message=finding.message + words)
                findings.append(told)
    if found is not None and not settled.outcome.ok and plan is not None:
        findings += culprit_findings(found, sources, plan.label, bits=plan.activation_bits, kinds=kinds)
    return found, tuple(findings)


def measured(run: Run, *, seconds: float | None = None) -> NodeAccuracy | None:
    """Every node's error in the run's quantized graph, by the captured nodes; None where there is none that runs."""
    if run.plan is None or "quantize" not in run.entries or not run.meta("quantize")["changed"]:
        return None
    try:
        return _located(run, node_accuracy(run, seconds=seconds))
    except (QairtError, WorkerCrashedError):
        return None


def _located(run: Run, found: NodeAccuracy) -> NodeAccuracy:
    kinds = {node.node: node.op_type for node in deployed_placement(run).nodes}
    sources = read_source_map(run.path("capture", "source_map.json"))
    return located(found, sources, kinds, _derived(run))


def _derived(run: Run) -> dict[str, Any]:
    """Node of the graph that is quantized -> the captured nodes it stands for."""
    rewritten = run.entries.get("rewrite")
    return dict(rewritten.meta["result"]["derived"]) if rewritten and rewritten.meta["changed"] else {}
