"""Equalize the channels between two layers (see ``quantize.passes.equalize_channels``)."""

from __future__ import annotations

from dataclasses import replace

from ..remedy import FailedAttempt, Proposal, Proposals, Remedy


def _applies(case: FailedAttempt) -> bool:
    return case.plan is not None and not case.plan.equalize


def _proposals(case: FailedAttempt) -> Proposals:
    assert case.plan
    plan = replace(case.plan, equalize=True)
    yield Proposal(variant=case.variant.with_plan(plan), measure="channels equalized between the layers")


REMEDY = Remedy(
    name="equalize-channels",
    stages=frozenset({"verify"}),
    cost=110,
    changes="the weights of neighbouring layers",
    promise="the same function in fp32, and the same integers at the same cost",
    applies=_applies,
    proposals=_proposals,
)
