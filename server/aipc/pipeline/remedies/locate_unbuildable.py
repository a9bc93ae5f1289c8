"""Compile to the end while rewriting: that names the nodes that cannot be built, and rules for them are applied.

Where none applies, the attempt ends in a gate that names these nodes and their lines instead of the compiler's error
for the whole graph.
"""

from __future__ import annotations

from dataclasses import replace

from aipc.core.errors import QairtError
from aipc.rewrites.proofs import Trigger

from ..remedy import FailedAttempt, Proposal, Proposals, Remedy


def _applies(case: FailedAttempt) -> bool:
    return isinstance(case.attempt.outcome.error, QairtError) and not case.variant.finalize_rewritten


def _proposals(case: FailedAttempt) -> Proposals:
    variant = replace(case.variant.with_trigger(Trigger.UNBUILDABLE), finalize_rewritten=True)
    yield Proposal(variant=variant, measure="find the nodes that cannot be built, and apply the rules for them")


REMEDY = Remedy(
    name="locate-unbuildable",
    stages=frozenset({"calibrate", "quantize", "compile"}),
    cost=60,
    changes="which rewrite rules are applied, and to what",
    promise="every rewrite is proved on the nodes that it replaces",
    applies=_applies,
    proposals=_proposals,
)
