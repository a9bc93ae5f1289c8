"""One deployment: the stages, the remedies where one fails, and what is to be said of the package that came of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from aipc.core.accuracy import NodeAccuracy
from aipc.core.frontier import Frontier
from aipc.core.types import RemedyRecord
from aipc.quantize.plan import QuantizationPlan

from .artifacts import Artifact, Verification
from .attempt import Attempt
from .attempts import Attempts
from .deploy_own_scales import with_own_scales
from .driver import run_stages
from .journal import Journal
from .outcome import Outcome
from .precision_search import REMEDIES, choose, frontier, search
from .run import Run
from .stage_bench import StageBench
from .stages import stage_order
from .variant import SEARCHED

_FEW_SAMPLES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The variant that was taken, its artifacts and outcome, and how it came about."""

    run: Run
    outcome: Outcome
    frontier: Frontier | None = None
    remedies: tuple[RemedyRecord, ...] = ()
    introduced: tuple[QuantizationPlan, NodeAccuracy] | None = None
    """The plan whose worst nodes were kept in a higher precision, and the error that its nodes introduce."""


def settle(run: Run, journal: Journal, goals: Collection[type[Artifact]] | None = None) -> Settled:
    """Take a run through the stages that ``goals`` take, or all, with remedies where one fails.

    A gate that no remedy brings to pass is an outcome; then the attempt that comes nearest is taken.

    Raises:
        AipcError: a stage could not be run.
    """
    run = with_own_scales(run, journal)
    attempts = Attempts(StageBench(run, journal, goals))
    own = run.plan is not None and run.plan.own
    searched = goals is None and run.request.precision in SEARCHED and not own
    if searched:
        chosen = search(attempts, run.variant, run.request.precision, quantized_io=run.request.integer_io)
    else:
        first = attempts.attempt(run.variant, f"{run.precision} as it was {'trained' if own else 'asked for'}")
        # Other scales than its own would be another model.
        chosen = attempts.repair(first, without=REMEDIES if own else ())
    result = None
    if run.plan is not None and any(
        attempt.stage == "verify" and not attempt.ok for attempt in attempts.by_variant.values()
    ):
        chosen, searched = choose(attempts), True
    if searched and stage_order(chosen.stage) >= stage_order("calibrate"):
        result = _frontier(attempts, chosen, journal)
    if chosen.outcome.error is not None:
        raise chosen.outcome.error
    built, outcome = chosen.run, chosen.outcome
    if len(attempts.by_variant) > 1:
        # The journal ends with the stages of what is taken.
        built, outcome = run_stages(chosen.run, journal, goals)
    return Settled(
        run=built,
        outcome=outcome,
        frontier=result,
        remedies=tuple(attempts.remedies),
        introduced=attempts.introduced,
    )


def _frontier(attempts: Attempts, attempt: Attempt, journal: Journal) -> Frontier:
    run, result = attempt.run, frontier(attempts)
    samples = run.calibration.data if run.calibration else None
    notes = list(result.notes)
    if result.chosen is None and samples is not None and samples.samples < _FEW_SAMPLES:
        notes.append(f"only {samples.samples} samples calibrated: give more, the ranges of few are those of chance")
    verification = run.artifacts.get(Verification)
    metric = verification.metric if verification else None
    journal.write("precision settled", chosen=result.chosen, tried=len(result.tried), notes=notes)
    return replace(
        result,
        notes=tuple(notes),
        metric_name=metric.name if metric else "",
        metric_threshold=run.request.tolerance.get("metric"),
    )
