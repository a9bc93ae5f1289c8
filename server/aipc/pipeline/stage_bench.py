"""Builds the variants of a run with its stages: cached, gated and journaled."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from aipc.core.accuracy import NodeAccuracy
from aipc.core.errors import CancelledError, QairtError, WorkerCrashedError
from aipc.core.frontier import Tried
from aipc.core.json import from_plain, to_plain
from aipc.core.types import Event, OutputAccuracy, RemedyRecord
from aipc.qairt.soc import get_soc
from aipc.quantize.plan import QuantizationPlan

from .attempt import Attempt
from .driver import attempt_stages
from .gates import sqnr_threshold
from .journal import Journal
from .node_error import node_accuracy
from .outcome import Outcome, gate_text
from .remedy import Remedy
from .stage import Run
from .variant import Variant


class StageBench:
    """See :class:`attempts.Bench`.

    Args:
        run: its request and tools are those of all variants.
        only: the stages to run; all by default.
    """

    def __init__(self, run: Run, journal: Journal, only: Sequence[str] | None = None) -> None:
        self._run, self._journal, self._only = run, journal, only
        self.fp16 = get_soc(run.request.soc).fp16 == "yes"

    def threshold_db(self, plan: QuantizationPlan | None) -> float:
        return self._run.request.tolerance.get("sqnr_db", sqnr_threshold(plan))

    def build(self, variant: Variant, label: str, measure: str, remedy: Remedy | None, base: Attempt | None) -> Attempt:
        if remedy and base:
            self._run.on_event(Event(base.stage, f"not passed, trying: {measure}"))
        elif variant.held_out:
            self._run.on_event(Event("precision", f"trying {label}: {measure}"))
        started = time.perf_counter()
        run = self._run.of(variant)
        outcome = attempt_stages(run, self._journal, only=self._only)
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
            return node_accuracy(attempt.run) if "quantize" in attempt.run.entries else None
        except CancelledError:
            raise
        except (QairtError, WorkerCrashedError) as error:
            self._journal.write("node errors not measured", error=str(error))
            return None

    def judged(self, record: RemedyRecord) -> None:
        self._journal.write("remedy judged", remedy=record)


def _candidate(run: Run, label: str, measure: str, outcome: Outcome, seconds: float) -> Tried:
    """The figures of one attempt."""
    plan = run.plan
    compiled: Mapping[str, Any] = run.meta("compile") if "compile" in run.entries else {}
    traffic = compiled.get("traffic", {})
    moved = [traffic.get("read_bytes"), traffic.get("write_bytes")]
    verified: Mapping[str, Any] = run.meta("verify") if "verify" in run.entries else {}
    outputs = from_plain(verified.get("outputs", []), tuple[OutputAccuracy, ...])
    latency = run.meta("run")["latency"] if "run" in run.entries else None
    metric = verified.get("metric")
    detail = outcome.error.what if outcome.error else gate_text(outcome.gate) if outcome.gate else ""
    return Tried(
        label=label,
        measure=measure,
        ok=outcome.ok,
        bytes=sum(compiled["sizes"].values()) if compiled else None,
        traffic_bytes=None if None in moved else sum(value for value in moved if value is not None),
        latency_ms=latency.get("p50_ms") if latency else None,
        sqnr_db=min((output.sqnr_db for output in outputs), default=None),
        metric=metric["value"] if metric else None,
        detail=detail,
        seconds=seconds,
        higher=plan.higher if plan else (),
        float_nodes=plan.float_nodes if plan else (),
        wide_nodes=_wide_nodes(run),
        plan=to_plain(plan) if plan else None,
    )


def _wide_nodes(run: Run) -> int:
    """How many nodes compute in more than 8 bits."""
    if run.plan is not None and run.plan.activation_bits == 8:
        return len({*run.plan.higher, *run.plan.float_nodes})
    return int(run.meta("capture")["nodes"]) if "capture" in run.entries else 0
