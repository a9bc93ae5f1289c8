"""One variant of a request, built and judged; and which of two attempts is nearer to a package."""

from __future__ import annotations

from dataclasses import dataclass

from aipc.core.frontier import Tried
from aipc.core.types import Gate
from aipc.quantize.plan import QuantizationPlan

from .outcome import Outcome
from .run import Run
from .stages import stage_order
from .variant import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """``run`` holds its artifacts, ``candidate`` its figures beside those of other attempts."""

    variant: Variant
    outcome: Outcome
    run: Run
    measure: str
    """What distinguishes it from the other attempts, in a clause."""
    candidate: Tried

    @property
    def ok(self) -> bool:
        return self.outcome.ok

    @property
    def stage(self) -> str:
        """The stage that failed; the last one where none did."""
        return self.outcome.stage

    @property
    def gate(self) -> Gate | None:
        return self.outcome.gate

    @property
    def plan(self) -> QuantizationPlan | None:
        return self.variant.plan

    @property
    def sqnr_db(self) -> float:
        """The lowest of what the package is judged on, probes too; minus infinity where nothing was measured."""
        lowest = float("-inf") if self.candidate.sqnr_db is None else self.candidate.sqnr_db
        gate = self.gate
        missed = gate is not None and not gate.ok and gate.metric == "sqnr_db"
        return min(lowest, gate.value) if gate and missed and gate.value is not None else lowest


def merit(attempt: Attempt) -> tuple[bool, bool, int, float, float]:
    """Greater is nearer to a verified package.

    First comes that all gates are passed, then a verdict instead of an error (its nodes and lines are known), then how
    many stages are behind it, then the SQNR, then how little the gate is missed by.
    """
    gate = attempt.gate
    missing = abs(gate.value - gate.threshold) if gate and gate.value is not None else float("inf")
    return (
        attempt.ok,
        attempt.outcome.error is None,
        stage_order(attempt.stage),
        attempt.sqnr_db,
        0.0 if attempt.ok else -missing,
    )
