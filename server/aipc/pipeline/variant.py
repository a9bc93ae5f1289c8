"""What may differ between two calls of the stages for one request: the capture, the rewrites, the quantization."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aipc.quantize.plan import UNIFORM, QuantizationPlan, plan_for
from aipc.rewrites.proofs import Trigger

SEARCHED = frozenset({"auto", "mixed"})
"""Precisions that are searched for; the others are one plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to build the package of a request. Remedies and searches propose other variants; none is ever changed."""

    strategy: str = "one-trace"
    """How the model is captured (see ``capture.export``)."""
    opset: int = 20
    triggers: frozenset[Trigger] = frozenset({Trigger.WRONG})
    """What the rewrite stage applies rules for wherever their form stands."""
    finalize_rewritten: bool = False
    """The rewrite stage compiles the graph to the end when it asks for placement: that names what cannot be built."""
    every_site: bool = False
    """Each rewrite is proved in the simulator at its own size, not one of each class."""
    precision: str = "fp16"
    """Of the package; ``auto`` and ``mixed`` before a search has a plan."""
    plan: QuantizationPlan | None = None
    """How the graph is quantized; None leaves it in float."""
    held_out: bool = False
    """The package is judged on held-out samples although nothing is quantized: it is compared with those that are."""

    @property
    def is_quantized(self) -> bool:
        """Whether the NPU computes in integers, by a plan or by one that a search will find."""
        return self.precision != "fp16"

    def with_plan(self, plan: QuantizationPlan | None) -> Variant:
        return replace(self, plan=plan, precision=precision_of(plan))

    def with_trigger(self, trigger: Trigger) -> Variant:
        return replace(self, triggers=self.triggers | {trigger})


def variant_for(precision: str) -> Variant:
    """The first variant of a request in ``precision``."""
    return Variant(precision=precision, plan=plan_for(precision) if precision in UNIFORM else None)


def precision_of(plan: QuantizationPlan | None) -> str:
    """What a package of this plan is called: ``fp16``, ``mixed``, or for example ``w8a16``."""
    if plan is None:
        return "fp16"
    return "mixed" if plan.higher or plan.float_nodes else f"w{plan.weight_bits}a{plan.activation_bits}"


def own_scales_note(requested: str, own: str) -> str:
    """In a sentence, what is deployed and what was asked for."""
    instead = f", and --precision {requested} changes nothing" if requested != own else ""
    return f"the model is quantized already, to {own}: its own scales are deployed{instead}"
