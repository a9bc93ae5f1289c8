"""Put a floor under scores with an added mask, where a package is wrong on a mask.

A remedy of its own, since the rules for what is coarse make other numbers of such scores, not better ones.
"""

from __future__ import annotations

from aipc.rewrites.proofs import Trigger

from ..artifacts import GraphPlacement
from ..remedy import FailedAttempt, Proposal, Proposals, Remedy


def _applies(case: FailedAttempt) -> bool:
    captured = case.attempt.run.artifacts.get(GraphPlacement)
    masked = captured is not None and any(node.op_type == "Softmax" for node in captured.report.nodes)
    return masked and not case.attempt.ok and case.gains_from(Trigger.MASKED)


def _proposals(case: FailedAttempt) -> Proposals:
    yield Proposal(variant=case.variant.with_trigger(Trigger.MASKED), measure="put a floor under masked scores")


REMEDY = Remedy(
    name="rewrite-masked",
    stages=frozenset({"verify"}),
    cost=40,
    changes="which rewrite rules are applied",
    promise="every rewrite is exact, and the package is right on masks that close a row whole",
    applies=_applies,
    proposals=_proposals,
)
