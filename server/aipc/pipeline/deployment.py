"""One deployment: the stages, the remedies where one fails, and what is to be said of the package that came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aipc.core.accuracy import NodeAccuracy
from aipc.core.frontier import Frontier
from aipc.core.types import Finding, RemedyRecord, Severity
from aipc.quantize.plan import QuantizationPlan

from .attempt import Attempt
from .attempts import Attempts
from .blame import culprit_findings
from .driver import run_stages
from .journal import Journal
from .node_error import by_captured_nodes, captured_accuracy
from .origins import captured_source_map, float_provenance
from .outcome import Outcome
from .own_quantization import with_own_scales
from .precision_search import REMEDIES, choose, frontier, search
from .stage import Run
from .stage_bench import StageBench
from .stages import stage_order
from .stages.calibrate import calibration_set
from .stages.placement import placement_report
from .variant import SEARCHED

_FEW_SAMPLES = 16
_PASSED_SECONDS = 15.0
"""For what each node does to the outputs of a package that passed: nobody waits for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The variant that was taken, its artifacts and outcome, and how it came about."""

    run: Run
    outcome: Outcome
    frontier: Frontier | None = None
    remedies: tuple[RemedyRecord, ...] = ()
    introduced: tuple[QuantizationPlan, NodeAccuracy] | None = None
    """The plan whose worst nodes were kept in a higher precision, and the error that its nodes introduce."""


def settle(run: Run, journal: Journal, *, only: Sequence[str] | None = None) -> Settled:
    """Take a run through its stages, or those named in ``only``, with remedies where one fails.

    A gate that no remedy brings to pass is an outcome; then the attempt that comes nearest is taken.

    Raises:
        AipcError: a stage could not be run.
    """
    run = with_own_scales(run, journal)
    attempts = Attempts(StageBench(run, journal, only))
    own = run.plan is not None and run.plan.own
    searched = only is None and run.request.precision in SEARCHED and not own
    if searched:
        taken = search(attempts, run.variant, run.request.precision, quantized_io=run.request.integer_io)
    else:
        first = attempts.attempt(run.variant, f"{run.precision} as it was {'trained' if own else 'asked for'}")
        # Other scales than its own would be another model.
        taken = attempts.repair(first, without=REMEDIES if own else ())
    found = None
    if run.plan is not None and any(made.stage == "verify" and not made.ok for made in attempts.made.values()):
        taken, searched = choose(attempts), True
    if searched and stage_order(taken.stage) >= stage_order("calibrate"):
        found = _frontier(attempts, taken, journal)
    if taken.outcome.error is not None:
        raise taken.outcome.error
    outcome = taken.outcome
    if len(attempts.made) > 1:
        # The journal ends with the stages of what is taken.
        outcome = run_stages(taken.run, journal, only=only)
    return Settled(
        run=taken.run,
        outcome=outcome,
        frontier=found,
        remedies=tuple(attempts.remedies),
        introduced=attempts.introduced,
    )


def _frontier(attempts: Attempts, taken: Attempt, journal: Journal) -> Frontier:
    run, found = taken.run, frontier(attempts)
    samples = calibration_set(run)
    notes = list(found.notes)
    if found.chosen is None and samples is not None and samples.samples < _FEW_SAMPLES:
        notes.append(f"only {samples.samples} samples calibrated: give more, the ranges of few are those of chance")
    metric = run.meta("verify").get("metric") if "verify" in run.entries else None
    journal.write("precision settled", chosen=found.chosen, tried=len(found.tried), notes=notes)
    return replace(
        found,
        notes=tuple(notes),
        metric_name=metric["name"] if metric else "",
        metric_threshold=run.request.tolerance.get("metric"),
    )


def node_errors(settled: Settled) -> tuple[NodeAccuracy | None, tuple[Finding, ...]]:
    """Every node's error in a quantized package, by the captured nodes, and findings at the lines that introduce it.

    A layer that is kept in a higher precision is information, with what it would introduce; when the gate was not
    passed, what still introduces the error is a warning.
    """
    run, plan, ok = settled.run, settled.run.plan, settled.outcome.ok
    if plan is None:
        return None, ()
    found = captured_accuracy(run, seconds=_PASSED_SECONDS if ok else None)
    findings: list[Finding] = []
    sources = captured_source_map(run)
    kinds = {node.node: node.op_type for node in placement_report(run).nodes}
    if settled.introduced and ok and (plan.higher or plan.float_nodes):
        base, introduced = settled.introduced
        kept = {*float_provenance(run).sources((*plan.higher, *plan.float_nodes))}
        where = " Deploy keeps it at 16 bits." if plan.higher else " Deploy keeps it in fp16."
        culprits = culprit_findings(
            by_captured_nodes(run, introduced), sources, base.label, bits=base.activation_bits, kinds=kinds
        )
        findings += [
            replace(finding, severity=Severity.INFORMATION, message=finding.message + where)
            for finding in culprits
            if kept.intersection(finding.nodes)
        ]
    if found is not None and not ok:
        findings += culprit_findings(found, sources, plan.label, bits=plan.activation_bits, kinds=kinds)
    return found, tuple(findings)
