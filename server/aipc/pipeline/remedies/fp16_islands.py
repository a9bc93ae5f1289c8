"""Keep the fewest layers of a quantized graph in fp16 that let it pass."""

from __future__ import annotations

from dataclasses import replace

from ..fewest_layers import fewest_layers
from ..remedy import FailedAttempt, Proposals, Remedy
from ..variant import Variant


def _applies(case: FailedAttempt) -> bool:
    return case.fp16 and case.plan is not None


def _proposals(case: FailedAttempt) -> Proposals:
    def keep(names: tuple[str, ...]) -> Variant:
        assert case.plan
        return case.variant.with_plan(replace(case.plan, float_nodes=names))

    yield from fewest_layers(case, case.attempt, keep, "fp16")


REMEDY = Remedy(
    name="fp16-islands",
    stages=frozenset({"verify"}),
    cost=400,
    changes="the layers that introduce most of the error, to fp16",
    promise="as few layers as pass compute in fp16",
    applies=_applies,
    proposals=_proposals,
)
