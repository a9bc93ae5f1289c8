"""Keep activations apart from the products before them, whose fusion rounds more than either alone.

It is tried as well where a package passes only because correctly rounded fp16 is as far off.
"""

from __future__ import annotations

from aipc.rewrites.proofs import Trigger

from ..artifacts import GraphPlacement, RewrittenGraph
from ..remedy import FailedAttempt, Proposal, Proposals, Remedy

_FUSED = {"Erf", "Gelu", "Sigmoid", "Tanh"}
"""Operators that stand in the activations that QAIRT fuses with a product."""


def _applies(case: FailedAttempt) -> bool:
    artifacts = case.attempt.run.artifacts
    rewritten, captured = artifacts.get(RewrittenGraph), artifacts.get(GraphPlacement)
    if rewritten is None or captured is None:
        return False
    placed = rewritten.result.placement or captured.report
    return case.gains_from(Trigger.FUSED) and any(node.op_type in _FUSED for node in placed.nodes)


def _proposals(case: FailedAttempt) -> Proposals:
    yield Proposal(
        variant=case.variant.with_trigger(Trigger.FUSED), measure="keep activations apart from the products before them"
    )


REMEDY = Remedy(
    name="rewrite-fused",
    stages=frozenset({"verify"}),
    cost=45,
    changes="which rewrite rules are applied",
    promise="every rewrite is exact, and the package is nearer to PyTorch",
    applies=_applies,
    proposals=_proposals,
    improves=True,
)
