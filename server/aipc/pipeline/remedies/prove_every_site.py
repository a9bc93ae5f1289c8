"""Prove each rewrite in the simulator at its own size, where the whole package is wrong.

By itself one site of a class of rewrites is proved there, and the package's run judges the others.
"""

from __future__ import annotations

from dataclasses import replace

from ..artifacts import RewrittenGraph
from ..remedy import FailedAttempt, Proposal, Proposals, Remedy


def _applies(case: FailedAttempt) -> bool:
    if case.attempt.ok or case.variant.every_site:
        return False
    rewritten = case.attempt.run.artifacts.get(RewrittenGraph)
    return rewritten is not None and rewritten.result.by_class > 0


def _proposals(case: FailedAttempt) -> Proposals:
    yield Proposal(variant=replace(case.variant, every_site=True), measure="prove each rewrite at its own size")


REMEDY = Remedy(
    name="prove-every-site",
    stages=frozenset({"compile", "verify"}),
    cost=90,
    changes="which rewrites are proved in the simulator",
    promise="every rewrite is right in the simulator at its own size",
    applies=_applies,
    proposals=_proposals,
)
