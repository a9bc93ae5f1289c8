"""What a remedy is: one measure that is tried by itself where a deployment fails.

A remedy is one file in ``remedies/`` that defines ``REMEDY``; adding one is adding a file. It changes nothing: it
proposes other variants of the run, each of which goes through the same stages and gates, and what does not help is
left out again (see ``attempts``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Literal

from aipc.core.accuracy import NodeAccuracy
from aipc.quantize.plan import QuantizationPlan
from aipc.rewrites.proofs import Trigger

from .attempt import Attempt
from .gates import PACKAGE_SQNR_DB
from .variant import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Another variant to try. ``measure`` names the change in a clause, such as ``16-bit activations``.

    ``ceiling``: it shows what a kind of change can bring at the most, and is taken only where nothing else passes.
    """

    variant: Variant
    measure: str
    ceiling: bool = False


Proposals = Generator[Proposal, Attempt, None]
"""Yields proposals, and is sent what came of each before it yields the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAttempt:
    """The attempt that a remedy should better, and what it may ask."""

    attempt: Attempt
    fp16: bool
    """Whether the NPU of the SoC computes in fp16."""
    threshold_db: Callable[[QuantizationPlan | None], float]
    """The SQNR that a package of a plan must reach."""
    introduced_error: Callable[[Attempt], NodeAccuracy | None]
    """The error that each node of a quantized attempt introduces; None where it could not be measured."""

    @property
    def variant(self) -> Variant:
        return self.attempt.variant

    @property
    def plan(self) -> QuantizationPlan | None:
        return self.attempt.variant.plan

    def gains_from(self, trigger: Trigger) -> bool:
        """Whether rules of ``trigger`` are not applied yet and a float package is, or only just passes, too far off."""
        variant = self.variant
        if variant.plan is not None or variant.is_quantized or trigger in variant.triggers:
            return False
        return not self.attempt.ok or self.attempt.sqnr_db < min(PACKAGE_SQNR_DB, self.threshold_db(None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One measure.

    Args:
        name: unique, in the file's words; journals and reports show it.
        stages: it is for attempts that failed in one of these stages, by a gate or by an error.
        cost: remedies are tried in this order: about the seconds that an attempt takes for a model like ResNet-50.
        changes: what of the variant it changes, in a clause.
        promise: what holds of a package that it helped to.
        applies: whether it can help in this case; it may not run anything.
        proposals: the variants to try.
        keeps: ``better``: an attempt is gone on with when it comes nearer; ``passing``: only when it passes.
        improves: it is also tried where all gates are passed.
    """

    name: str
    stages: frozenset[str]
    cost: int
    changes: str
    promise: str
    applies: Callable[[FailedAttempt], bool]
    proposals: Callable[[FailedAttempt], Proposals]
    keeps: Literal["better", "passing"] = "better"
    improves: bool = False

    def is_for(self, case: FailedAttempt) -> bool:
        return (self.improves or not case.attempt.ok) and case.attempt.stage in self.stages and self.applies(case)
