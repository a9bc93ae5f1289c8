"""Candidates of a search over precisions, made by the stages of a run: cached, gated and journaled like any other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aipc.core.accuracy import NodeAccuracy
from aipc.core.errors import CancelledError, QairtError, WorkerCrashedError
from aipc.core.frontier import Tried
from aipc.core.hashing import hash_value
from aipc.core.json import from_plain, to_plain
from aipc.core.types import Event, OutputAccuracy
from aipc.qairt.soc import get_soc
from aipc.quantize.plan import QuantizationPlan

from .driver import Outcome, gate_text, run_stages
from .gates import sqnr_threshold
from .journal import Journal
from .stage import Run
from .stages.run import outputs_of
from .versions import versions

STAGES = ("calibrate", "quantize", "compile", "package", "run", "verify")
_ACCURACY_VERSION = 2


class StageBench:
    """Makes candidates with the stages after ``rewrite``; the run's own are the last candidate's afterwards."""

    def __init__(self, run: Run, journal: Journal, event: str) -> None:
        """``event``: what a candidate is called in the journal: ``candidate``, or ``corrective`` for a measure."""
        self._run, self._journal, self._event = run, journal, event
        self.findings = list(run.findings)
        self.fp16 = get_soc(run.request.soc).fp16 == "yes"

    def threshold_db(self, plan: QuantizationPlan | None) -> float:
        return self._run.request.tolerance.get("sqnr_db", sqnr_threshold(plan))

    def make(self, plan: QuantizationPlan | None, label: str, measure: str) -> Tried:
        started = time.perf_counter()
        self._run.on_event(Event("precision", f"trying {label}: {measure}"))
        try:
            outcome = self._stages(plan)
            made = self._tried(plan, label, measure, outcome)
        except CancelledError:
            raise
        except (QairtError, WorkerCrashedError) as error:
            made = Tried(label, measure, False, detail=error.what, plan=to_plain(plan) if plan else None)
        made = replace(made, seconds=round(time.perf_counter() - started, 3))
        self._journal.write(self._event, stage="quantize", measure=measure, candidate=made)
        return made

    def blame(self, plan: QuantizationPlan) -> NodeAccuracy | None:
        try:
            # What it gave in the simulator is in the cache; a device would be made to run again.
            self._stages(plan, until="run" if self._run.request.target == "simulator" else "quantize")
            return node_accuracy(self._run)
        except CancelledError:
            raise
        except (QairtError, WorkerCrashedError) as error:
            self._journal.write("blame failed", error=str(error))
            return None

    def _stages(self, plan: QuantizationPlan | None, until: str | None = None) -> Outcome:
        use(self._run, plan, self.findings)
        return run_stages(self._run, self._journal, until=until, only=STAGES)

    def _tried(self, plan: QuantizationPlan | None, label: str, measure: str, outcome: Outcome) -> Tried:
        run = self._run
        failed = outcome.failed.gate if outcome.failed else None
        compiled: Mapping[str, Any] = run.meta("compile") if "compile" in run.entries else {}
        traffic = compiled.get("traffic", {})
        moved = [traffic.get("read_bytes"), traffic.get("write_bytes")]
        verified: Mapping[str, Any] = run.meta("verify") if "verify" in run.entries else {}
        outputs = from_plain(verified.get("outputs", []), tuple[OutputAccuracy, ...])
        latency = run.meta("run")["latency"] if "run" in run.entries else None
        metric = verified.get("metric")
        return Tried(
            label=label,
            measure=measure,
            ok=outcome.ok,
            bytes=sum(compiled["sizes"].values()) if compiled else None,
            traffic_bytes=None if None in moved else sum(value for value in moved if value is not None),
            latency_ms=latency.get("p50_ms") if latency else None,
            sqnr_db=min((output.sqnr_db for output in outputs), default=None),
            metric=metric["value"] if metric else None,
            detail=gate_text(failed) if failed else "",
            higher=plan.higher if plan else (),
            float_nodes=plan.float_nodes if plan else (),
            wide_nodes=self._wide(plan),
            plan=to_plain(plan) if plan else None,
        )

    def _wide(self, plan: QuantizationPlan | None) -> int:
        if plan is not None and plan.activation_bits == 8:
            return len({*plan.higher, *plan.float_nodes})
        return int(self._run.meta("capture")["nodes"])


def use(run: Run, plan: QuantizationPlan | None, findings: list[Any]) -> None:
    """Make ``plan`` the run's, as if no stage after ``rewrite`` had been done."""
    run.plan = plan
    run.findings[:] = findings
    run.request = replace(run.request, precision=precision_of(plan))
    for name in STAGES:
        run.entries.pop(name, None)


def precision_of(plan: QuantizationPlan | None) -> str:
    """What the package's precision is called."""
    if plan is None:
        return "fp16"
    return "mixed" if plan.higher or plan.float_nodes else f"w{plan.weight_bits}a{plan.activation_bits}"


def node_accuracy(run: Run, *, seconds: float | None = None) -> NodeAccuracy:
    """Every node's error in the quantized graph of a run, by the nodes of its float graph; kept in the cache.

    Measured on one held-out sample: real data, and none that the ranges come from. Of those that the package was run
    on it is the one with most of the error: what is lost on a single kind of picture shows on no other.

    Raises:
        QairtError: the graph does not run.
    """
    sample = _noisiest(run)
    arguments: dict[str, Any] = {
        "model": str(run.float_graph),
        "inputs_npz": str(run.held_out[sample]),
        "soc": run.request.soc,
        "quantized": str(run.graph),
    }
    if seconds is not None:
        arguments["seconds"] = seconds
    if "run" in run.entries and run.request.target == "simulator":
        arguments["outputs_npz"] = str(outputs_of(run)[sample])
    key = hash_value(
        {
            "accuracy": _ACCURACY_VERSION,
            "quantize": run.keys["quantize"],
            "calibrate": run.keys["calibrate"],
            "sample": sample,
            "seconds": seconds,
            "tools": versions(),
        }
    )

    def build(directory: Any) -> Mapping[str, Any]:
        plain: Mapping[str, Any] = to_plain(run.job("aipc.qairt.node_accuracy:node_accuracy", **arguments))
        return plain

    return from_plain(dict(run.cache.put(key, build).meta), NodeAccuracy)


def _noisiest(run: Run) -> int:
    if "run" not in run.entries or len(run.held_out) < 2:
        return 0
    found: int = run.job(
        "aipc.quantize.judging:noisiest",
        references=[str(path) for path in run.references],
        actuals=[str(path) for path in outputs_of(run)],
    )
    return found
