"""Take the range method whose quantized graph comes nearest to fp32 on a few calibration samples."""

from __future__ import annotations

from dataclasses import replace

from ..remedy import FailedAttempt, Proposal, Proposals, Remedy

HOPELESS_DB = 15.0
"""Other ranges were seen to bring up to 10 dB; farther from the threshold than this they are not tried."""


def _applies(case: FailedAttempt) -> bool:
    plan = case.plan
    near = plan is not None and case.attempt.sqnr_db >= case.threshold_db(plan) - HOPELESS_DB
    return near and plan is not None and plan.range_method != "measured"


def _proposals(case: FailedAttempt) -> Proposals:
    assert case.plan
    plan = replace(case.plan, range_method="measured", range_parameter=None)
    yield Proposal(variant=case.variant.with_plan(plan), measure="ranges by measured outputs")


REMEDY = Remedy(
    name="measured-ranges",
    stages=frozenset({"verify"}),
    cost=100,
    changes="how ranges follow from the calibration data",
    promise="the same integers at the same cost",
    applies=_applies,
    proposals=_proposals,
)
