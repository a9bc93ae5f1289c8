"""Apply the rules for operators that QAIRT takes one by one and may not be able to build in a graph, everywhere."""

from __future__ import annotations

from aipc.core.errors import QairtError
from aipc.rewrites.proofs import Trigger

from ..remedy import FailedAttempt, Proposal, Proposals, Remedy


def _applies(case: FailedAttempt) -> bool:
    return isinstance(case.attempt.outcome.error, QairtError) and Trigger.UNBUILDABLE not in case.variant.triggers


def _proposals(case: FailedAttempt) -> Proposals:
    yield Proposal(
        variant=case.variant.with_trigger(Trigger.UNBUILDABLE), measure="apply the rules for what is unbuildable"
    )


REMEDY = Remedy(
    name="rewrite-unbuildable",
    stages=frozenset({"calibrate", "quantize", "compile"}),
    cost=20,
    changes="which rewrite rules are applied",
    promise="every rewrite is proved on the nodes that it replaces",
    applies=_applies,
    proposals=_proposals,
)
