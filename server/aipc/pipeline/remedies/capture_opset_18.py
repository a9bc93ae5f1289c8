"""Capture in the operator set 18: some operators are exported otherwise, and rightly, in an older set."""

from __future__ import annotations

from dataclasses import replace

from ..probing import another_capture_may_help
from ..remedy import FailedAttempt, Proposal, Proposals, Remedy

_OPSET = 18
"""The oldest that PyTorch's exporter writes."""


def _applies(case: FailedAttempt) -> bool:
    if not another_capture_may_help(case.attempt.run):
        return False
    return case.attempt.run.request.ref.runs_pytorch and case.variant.opset > _OPSET


def _proposals(case: FailedAttempt) -> Proposals:
    variant = replace(case.variant, opset=_OPSET)
    yield Proposal(
        variant=variant, measure=f"capture by {variant.strategy.replace('-', ' ')} with opset {variant.opset}"
    )


REMEDY = Remedy(
    name="capture-opset-18",
    stages=frozenset({"capture", "verify capture"}),
    cost=11,
    changes="the ONNX operator set",
    promise="the captured graph agrees with PyTorch as closely as any other",
    applies=_applies,
    proposals=_proposals,
)
