"""What a quantized graph should be: plain, JSON-able, and hashed as part of a stage's key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from aipc.core.errors import InputError

CALIBRATION_COUNT = 32
"""Samples that calibrate by default: ranges of the models measured change little after 16."""
HELD_OUT_COUNT = 4
"""Samples that accuracy is judged on by default, none of which calibrated: each is run in the simulator."""
HELD_OUT_SHARE = 0.25
"""Of a source that has too few for both."""

EXAMPLE = "the example inputs"
"""In the place of calibration data where only placement is asked."""

RangeMethod = Literal["minmax", "percentile", "entropy", "mse", "measured"]


@dataclass(frozen=True, slots=True)
class QuantizationPlan:
    """How every tensor of a float graph becomes integers. Names are those of the float graph's nodes.

    Args:
        activation_bits: 8 or 16, unsigned and asymmetric, one scale a tensor.
        weight_bits: 4, 8 or 16, signed and symmetric. 16 is refused by v68.
        per_channel: one scale for each output channel of a weight.
        range_method: how a tensor's range follows from what calibration saw of it; ``measured`` tries the others and
            takes the one whose graph is nearest to fp32 on a few calibration samples.
        range_parameter: of ``percentile``: the share kept, in percent (99.999). None: the method's default.
        float_nodes: nodes kept in fp16: islands with a DequantizeLinear before and a QuantizeLinear after them.
        higher: nodes whose outputs have 16 bits in an 8-bit plan.
        calibration: digest of the calibration data that the ranges come from; empty until it is known.
        adjust_weights: round weights and correct biases against the calibration data, not each weight by itself.
        equalize: divide the channels between two layers by factors and multiply them back in the second.
        own: the model's own scales are what is deployed; the bits are theirs, for tensors that have none.
        quantized_io: the package's inputs and outputs are the integers themselves, not fp32.
    """

    activation_bits: int = 16
    weight_bits: int = 8
    per_channel: bool = True
    range_method: RangeMethod = "minmax"
    range_parameter: float | None = None
    float_nodes: tuple[str, ...] = ()
    higher: tuple[str, ...] = ()
    calibration: str = ""
    quantized_io: bool = False
    adjust_weights: bool = True
    equalize: bool = False
    own: bool = False

    @property
    def label(self) -> str:
        """Such as ``w8a16`` or ``w8a8+2 higher+1 fp16``."""
        text = f"w{self.weight_bits}a{self.activation_bits}"
        text += " of its own" if self.own else ""
        text += " equalized" if self.equalize else ""
        text += f"+{len(self.higher)} higher" if self.higher else ""
        return text + (f"+{len(self.float_nodes)} fp16" if self.float_nodes else "")


# At 8 bits a single far value costs every other one a step; at 16 bits there is room for all of them.
_PLANS = {
    "w8a16": QuantizationPlan(activation_bits=16),
    "w8a8": QuantizationPlan(activation_bits=8, range_method="mse"),
    "w4a16": QuantizationPlan(activation_bits=16, weight_bits=4),
}


def own_plan(weight_bits: int, activation_bits: int) -> QuantizationPlan:
    """The plan of a model that is quantized already: nothing of its weights and scales is changed."""
    return QuantizationPlan(
        activation_bits=activation_bits, weight_bits=weight_bits, own=True, adjust_weights=False, range_method="minmax"
    )


UNIFORM = tuple(_PLANS)
"""Precisions that are one plan; the others are searched for."""


def plan_for(precision: str) -> QuantizationPlan:
    """The default plan of a precision such as ``w8a16``.

    Raises:
        InputError: the precision is not one of a uniform plan.
    """
    if precision in _PLANS:
        return replace(_PLANS[precision])
    raise InputError(f"there is no quantization called {precision!r}", remedy=f"use one of {', '.join(_PLANS)}")


def is_quantized(precision: str) -> bool:
    """Whether a package of this precision computes in integers."""
    return precision != "fp16"
