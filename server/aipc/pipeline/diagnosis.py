"""What is measured after the stages: at which nodes a package loses its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from aipc.core.accuracy import NodeAccuracy
from aipc.core.probes import ProbeResult
from aipc.debug import worker_jobs as debug_jobs
from aipc.debug.types import Localization
from aipc.quantize.plan import QuantizationPlan

from .deployment import Settled
from .gates import PACKAGE_SQNR_DB
from .node_error import by_captured_nodes, captured_accuracy
from .outcome import Outcome
from .probing import failed_on_package
from .run import Run

_PASSED_SECONDS = 15.0
"""For what each node does to the outputs of a package that passed: nobody waits for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Localized:
    """Each node's own numbers, measured on ``probe``, or on the example where that is None."""

    localization: Localization
    probe: ProbeResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Measurements that findings are derived from beside the artifacts; None is not measured."""

    ok: bool = False
    """All gates were passed."""
    accuracy: NodeAccuracy | None = None
    """Of every node of a quantized package, by the captured nodes."""
    higher_layers: tuple[QuantizationPlan, NodeAccuracy] | None = None
    """The plan that some nodes were kept out of, and the error that these introduce in it, by the captured nodes."""
    localized: Localized | None = None
    """Of a float package."""


def diagnose(settled: Settled) -> Diagnosis:
    """Measure what explains the numbers of a package: one that its last gate stopped, or one that passed barely."""
    run, plan, outcome = settled.run, settled.run.plan, settled.outcome
    if outcome.failed is not None and outcome.failed.name != "verify":
        return Diagnosis()
    if plan is None:
        wrong = outcome.failed is not None or _is_below_threshold(run, outcome)
        return Diagnosis(ok=outcome.ok, localized=localize(run) if wrong else None)
    measurement = None
    if settled.introduced and outcome.ok and (plan.higher or plan.float_nodes):
        base, introduced = settled.introduced
        measurement = base, by_captured_nodes(run, introduced)
    accuracy = captured_accuracy(run, seconds=_PASSED_SECONDS if outcome.ok else None)
    return Diagnosis(ok=outcome.ok, accuracy=accuracy, higher_layers=measurement)


def localize(run: Run) -> Localized:
    """Compare each node with fp32 in the simulator, on the example or on the probe that fails instead."""
    failed = failed_on_package(run)
    probe, inputs = failed if failed else (None, run.captured.inputs)
    localization = run.job(
        debug_jobs.LOCALIZE,
        model=str(run.deployed_graph.graph),
        inputs_npz=str(inputs),
        soc=run.request.soc,
        divergence=True,
        seconds=120.0,
    )
    return Localized(localization=localization, probe=probe)


def _is_below_threshold(run: Run, outcome: Outcome) -> bool:
    """Whether the package passed only because fp16 itself can do no better: worth a finding, not a failure.

    What a lower tolerance of the author's allows is no matter for one.
    """
    threshold = min(PACKAGE_SQNR_DB, run.request.tolerance.get("sqnr_db", PACKAGE_SQNR_DB))
    gate = next((record.gate for record in outcome.records if record.name == "verify"), None)
    return gate is not None and gate.metric == "sqnr_db" and gate.value is not None and gate.value < threshold
