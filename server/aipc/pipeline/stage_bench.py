"""Builds the variants of a run with its stages: cached, gated and journaled."""

from __future__ import annotations

import time
from collections.abc import Collection

from aipc.core.accuracy import NodeAccuracy
from aipc.core.errors import CancelledError, QairtError, WorkerCrashedError
from aipc.core.frontier import Tried
from aipc.core.plain_data import to_plain
from aipc.core.types import Event, RemedyRecord
from aipc.core.wording import gate_text
from aipc.qairt.soc import get_soc
from aipc.quantize.plan import QuantizationPlan

from .artifacts import Artifact, CapturedGraph, CompiledGraph, TargetExecution, Verification
from .attempt import Attempt
from .build import Build
from .driver import attempt_stages
from .gates import sqnr_threshold
from .journal import Journal
from .node_error import node_accuracy
from .outcome import Outcome
from .remedy import Remedy
from .run import Run
from .variant import Variant


class StageBench:
    """See :class:`attempts.Bench`.

    Args:
        run: its request and tools are those of all variants.
        goals: the artifacts to make; those of all stages by default.
    """

    def __init__(self, run: Run, journal: Journal, goals: Collection[type[Artifact]] | None = None) -> None:
        self._run, self._journal, self._goals = run, journal, goals
        self.fp16 = get_soc(run.request.soc).fp16 == "yes"

    def threshold_db(self, plan: QuantizationPlan | None) -> float:
        return self._run.request.tolerance.get("sqnr_db", sqnr_threshold(plan))

    def build(self, variant: Variant, label: str, measure: str, remedy: Remedy | None, base: Attempt | None) -> Attempt:
        if remedy and base:
            self._run.on_event(Event(base.stage, f"not passed, trying: {measure}"))
        elif variant.held_out:
            self._run.on_event(Event("precision", f"trying {label}: {measure}"))
        started = time.perf_counter()
        run, outcome = attempt_stages(self._run.of(variant), self._journal, self._goals)
        candidate = _candidate(run, label, measure, outcome, round(time.perf_counter() - started, 3))
        if remedy and base:
            self._journal.write(
                "corrective",
                stage=base.stage,
                remedy=remedy.name,
                measure=measure,
                gate=base.gate,
                ok=outcome.ok,
                candidate=candidate,
            )
        elif variant.held_out:
            self._journal.write("candidate", stage="quantize", measure=measure, candidate=candidate)
        return Attempt(variant=variant, outcome=outcome, run=run, measure=measure, candidate=candidate)

    def introduced_error(self, attempt: Attempt) -> NodeAccuracy | None:
        try:
            return node_accuracy(attempt.run) if attempt.run.quantized else None
        except CancelledError:
            raise
        except (QairtError, WorkerCrashedError) as error:
            self._journal.write("node errors not measured", error=str(error))
            return None

    def judged(self, record: RemedyRecord) -> None:
        self._journal.write("remedy judged", remedy=record)


def _candidate(build: Build, label: str, measure: str, outcome: Outcome, seconds: float) -> Tried:
    """The figures of one attempt."""
    plan, artifacts = build.plan, build.artifacts
    compiled, execution = artifacts.get(CompiledGraph), artifacts.get(TargetExecution)
    verification = artifacts.get(Verification)
    traffic = compiled.result.traffic if compiled else None
    moved = (traffic.read_bytes, traffic.write_bytes) if traffic else (None, None)
    latency = execution.result.latency if execution else None
    metric = verification.metric if verification else None
    detail = outcome.error.what if outcome.error else gate_text(outcome.gate) if outcome.gate else ""
    return Tried(
        label=label,
        measure=measure,
        ok=outcome.ok,
        bytes=compiled.bytes if compiled else None,
        traffic_bytes=None if None in moved else sum(value for value in moved if value is not None),
        latency_ms=latency.get("p50_ms") if latency else None,
        sqnr_db=min((output.sqnr_db for output in verification.outputs), default=None) if verification else None,
        metric=metric.value if metric else None,
        detail=detail,
        seconds=seconds,
        higher=plan.higher if plan else (),
        float_nodes=plan.float_nodes if plan else (),
        wide_nodes=_wide_nodes(build),
        plan=to_plain(plan) if plan else None,
    )


def _wide_nodes(build: Build) -> int:
    """How many nodes compute in more than 8 bits."""
    if build.plan is not None and build.plan.activation_bits == 8:
        return len({*build.plan.higher, *build.plan.float_nodes})
    captured = build.artifacts.get(CapturedGraph)
    return captured.result.nodes if captured else 0
