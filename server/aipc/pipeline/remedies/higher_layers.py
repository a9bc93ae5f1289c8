"""Keep the fewest layers of an 8-bit graph at 16 bits that let it pass.

All of them come first: where that does not pass it is not the activations, and no choice among the layers does.
"""

from __future__ import annotations

from dataclasses import replace

from aipc.quantize.plan import QuantizationPlan, plan_for

from ..fewest_layers import Keep, fewest_layers
from ..remedy import FailedAttempt, Proposal, Proposals, Remedy


def _applies(case: FailedAttempt) -> bool:
    return case.plan is not None and case.plan.activation_bits == 8


def _proposals(case: FailedAttempt) -> Proposals:
    assert case.plan
    method = plan_for("w8a16").range_method
    for equalize in dict.fromkeys((case.plan.equalize, True)):
        narrow = replace(case.plan, equalize=equalize)
        whole = replace(narrow, activation_bits=16, range_method=method, range_parameter=None, higher=())
        measure = f"16-bit activations{', channels equalized' if equalize else ''}"
        if not (yield Proposal(variant=case.variant.with_plan(whole), measure=measure, ceiling=True)).ok:
            continue
        base = yield Proposal(variant=case.variant.with_plan(narrow), measure="channels equalized between the layers")
        yield from fewest_layers(case, base, _keep(case, narrow), "16 bits")
        return


def _keep(case: FailedAttempt, narrow: QuantizationPlan) -> Keep:
    return lambda names: case.variant.with_plan(replace(narrow, higher=names))


REMEDY = Remedy(
    name="higher-layers",
    stages=frozenset({"quantize", "compile", "run", "verify"}),
    cost=300,
    changes="the activations of the layers that introduce most of the error, to 16 bits",
    promise="as few layers as pass compute in more than 8 bits",
    applies=_applies,
    proposals=_proposals,
    keeps="passing",
)
