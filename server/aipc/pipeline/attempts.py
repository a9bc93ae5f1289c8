"""The attempts of one deployment: a variant is built once, and remedies are applied to those that fail.

It knows no compiler: it asks its ``AttemptBuilder`` to build a variant and to measure which nodes introduce the error.
It is deterministic: the same answers give the same attempts in the same order, which makes an interrupted deployment go
on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from aipc.core.accuracy import NodeAccuracy
from aipc.core.types import RemedyRecord
from aipc.core.wording import gate_text
from aipc.quantize.plan import UNIFORM, QuantizationPlan, plan_for

from .attempt import Attempt, merit
from .remedies import all_remedies
from .remedy import FailedAttempt, Remedy
from .variant import Variant

SECONDS = 900.0
"""After so long no further quantized variant is begun."""


class AttemptBuilder(Protocol):
    """What builds attempts. Every answer is of the compiled package in the simulator, or on the device."""

    fp16: bool
    """Whether the NPU of the SoC computes in fp16."""

    def threshold_db(self, plan: QuantizationPlan | None) -> float:
        """The SQNR that a package of this plan must reach."""

    def build(self, variant: Variant, label: str, measure: str, remedy: Remedy | None, base: Attempt | None) -> Attempt:
        """Build and judge one variant, for ``remedy`` of the attempt ``base`` where it is one's."""

    def introduced_error(self, attempt: Attempt) -> NodeAccuracy | None:
        """The error that each node of a quantized attempt introduces; None when it could not be measured."""

    def judged(self, record: RemedyRecord) -> None:
        """Take note of what came of a remedy."""


@dataclass(slots=True)
class Attempts:
    """Every attempt so far, in order."""

    bench: AttemptBuilder
    seconds: float = SECONDS
    by_variant: dict[Variant, Attempt] = field(default_factory=dict)
    ceilings: set[Variant] = field(default_factory=set)
    """Attempts that are taken only where no other passes."""
    remedies: list[RemedyRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    introduced: tuple[QuantizationPlan, NodeAccuracy] | None = None
    """The plan that was last measured node by node, and the error that its nodes introduce."""
    _started: float = field(default_factory=time.monotonic)

    def attempt(
        self, variant: Variant, measure: str, remedy: Remedy | None = None, base: Attempt | None = None
    ) -> Attempt:
        """Build a variant, once."""
        if variant not in self.by_variant:
            self.by_variant[variant] = self.bench.build(variant, self._label(variant), measure, remedy, base)
        return self.by_variant[variant]

    def repair(self, base: Attempt, *, without: Collection[Remedy] = ()) -> Attempt:
        """Apply the remedies that are for ``base``, and then those for what it became, the cheapest first, each once.

        Returns the nearest attempt; ``base`` itself where nothing helps.
        """
        used = {remedy.name for remedy in without}
        while True:
            case = self._case(base)
            remedy = next((item for item in all_remedies() if item.name not in used and item.is_for(case)), None)
            if remedy is None:
                return base
            used.add(remedy.name)
            base = self.apply(remedy, base)

    def apply(self, remedy: Remedy, base: Attempt) -> Attempt:
        """Try what a remedy proposes; the nearest of its attempts where that is nearer than ``base``, else ``base``."""
        case = self._case(base)
        if not remedy.is_for(case):
            return base
        started, best, number = time.monotonic(), base, 0
        proposals = remedy.proposals(case)
        proposal = next(proposals, None)
        while proposal is not None and not self._is_out_of_time(proposal.variant):
            if proposal.ceiling and proposal.variant not in self.by_variant:
                self.ceilings.add(proposal.variant)
            attempt = self.attempt(proposal.variant, proposal.measure, remedy, base)
            number += 1
            if merit(attempt) > merit(best) and (attempt.ok or remedy.keeps == "better"):
                best = attempt
            try:
                proposal = proposals.send(attempt)
            except StopIteration:
                proposal = None
        proposals.close()
        if number:
            self._record(remedy, base, best, number, time.monotonic() - started)
        return best

    def _record(self, remedy: Remedy, base: Attempt, best: Attempt, number: int, seconds: float) -> None:
        record = RemedyRecord(
            name=remedy.name,
            stage=base.stage,
            failure=gate_text(base.gate) if base.gate else base.outcome.error.what if base.outcome.error else "",
            measure=best.measure if best is not base else "",
            attempts=number,
            helped=best is not base,
            seconds=round(seconds, 3),
        )
        self.remedies.append(record)
        self.bench.judged(record)

    def _case(self, attempt: Attempt) -> FailedAttempt:
        return FailedAttempt(
            attempt=attempt,
            fp16=self.bench.fp16,
            threshold_db=self.bench.threshold_db,
            introduced_error=self._introduced_error,
        )

    def _introduced_error(self, attempt: Attempt) -> NodeAccuracy | None:
        accuracy = self.bench.introduced_error(attempt)
        if accuracy and attempt.plan:
            self.introduced = (attempt.plan, accuracy)
        return accuracy

    def _label(self, variant: Variant) -> str:
        plan = variant.plan
        label = variant.precision if plan is None else plan.label
        if plan is not None:
            uniform = f"w{plan.weight_bits}a{plan.activation_bits}"
            if uniform not in UNIFORM or plan.range_method != plan_for(uniform).range_method:
                label += f" {plan.range_method}"
        labels = [attempt.candidate.label for attempt in self.by_variant.values()]
        same = sum(item == label or item.startswith(f"{label} #") for item in labels)
        return f"{label} #{same + 1}" if same else label

    def _is_out_of_time(self, variant: Variant) -> bool:
        if variant.plan is None or variant in self.by_variant or time.monotonic() - self._started < self.seconds:
            return False
        note = f"the search stopped after {self.seconds:.0f} s; run it again to go on where it was"
        if note not in self.notes:
            self.notes.append(note)
        return True
