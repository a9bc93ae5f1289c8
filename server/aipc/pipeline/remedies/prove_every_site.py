"""Prove each rewrite in the simulator at its own size, where the whole package is wrong.

By itself one site of a class of rewrites is proved there, and the package's run judges the others.
"""

from __future__ import annotations

from dataclasses import replace

from ..remedy import Case, Proposal, Proposals, Remedy
from ..stages.rewrite import rewritten


def _applies(case: Case) -> bool:
    if case.attempt.ok or case.variant.every_site or "rewrite" not in case.attempt.run.entries:
        return False
    return bool(rewritten(case.attempt.run).by_class)


def _proposals(case: Case) -> Proposals:
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
