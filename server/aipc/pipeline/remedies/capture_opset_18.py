"""Capture in the operator set 18: some operators are exported otherwise, and rightly, in an older set."""

from __future__ import annotations

from dataclasses import replace

from ..artifacts import CapturedGraph
from ..build import Build
from ..probing import another_capture_may_help
from ..remedy import FailedAttempt, Proposal, Proposals, Remedy

_OPSET = 18
"""The oldest that PyTorch's exporter writes."""
_BEFORE_ONNX = frozenset({"capture-data-dependent", "capture-dynamic-shape", "capture-unsupported-operator"})
"""Rules of what stops a capture before ONNX is written: tracing and the table of lowerings know no operator set."""


def _stopped_before_onnx(build: Build) -> bool:
    captured = build.artifacts.get(CapturedGraph)
    return captured is not None and any(item.rule in _BEFORE_ONNX for item in captured.result.findings)


def _applies(case: FailedAttempt) -> bool:
    if not another_capture_may_help(case.attempt.run) or _stopped_before_onnx(case.attempt.run):
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
