"""Capture by two traces: the exported program is made first, its positions in the source by a second trace.

The default traces once and reads the positions from that trace; a model whose forward differs under it, because it
looks at what it is called with, may export without.
"""

from __future__ import annotations

from dataclasses import replace

from ..probing import another_capture_may_help
from ..remedy import FailedAttempt, Proposal, Proposals, Remedy


def _applies(case: FailedAttempt) -> bool:
    if not another_capture_may_help(case.attempt.run):
        return False
    return case.attempt.run.request.ref.runs_pytorch and case.variant.strategy != "two-traces"


def _proposals(case: FailedAttempt) -> Proposals:
    variant = replace(case.variant, strategy="two-traces")
    yield Proposal(variant=variant, measure=f"capture by two traces with opset {variant.opset}")


REMEDY = Remedy(
    name="capture-two-traces",
    stages=frozenset({"capture", "verify capture"}),
    cost=10,
    changes="how the model is traced",
    promise="the captured graph agrees with PyTorch as closely as any other",
    applies=_applies,
    proposals=_proposals,
)
