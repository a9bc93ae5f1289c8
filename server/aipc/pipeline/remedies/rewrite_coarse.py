"""Apply the rules for what is right but rounds more in fp16 than it need.

They are tried as well where a package passes only because correctly rounded fp16 is as far off: another form of the
model may still be near.
"""

from __future__ import annotations

from aipc.rewrites.proofs import Trigger

from ..remedy import FailedAttempt, Proposal, Proposals, Remedy


def _applies(case: FailedAttempt) -> bool:
    return case.gains_from(Trigger.COARSE)


def _proposals(case: FailedAttempt) -> Proposals:
    # Their results may hold products with activations behind them, which the compiler would join.
    variant = case.variant.with_trigger(Trigger.COARSE).with_trigger(Trigger.FUSED)
    yield Proposal(variant=variant, measure="apply the rules for what is coarse")


REMEDY = Remedy(
    name="rewrite-coarse",
    stages=frozenset({"verify"}),
    cost=50,
    changes="which rewrite rules are applied",
    promise="every rewrite is proved on the nodes that it replaces, and the package is nearer to PyTorch",
    applies=_applies,
    proposals=_proposals,
    improves=True,
)
