"""Tell rounding from wrong: one node's simulated outputs against fp32 and against what fp16 could do at best.

An element of an output is *explained* when its error stays within a few times the error that fp16 makes
there: the largest error of three executions in fp32 whose inputs were rounded to fp16, one as they are and
two moved by one rounding step in random directions. So an operator that turns a rounding step into a jump
(ceil, a cast to integer, tan near its poles) is rounding, and garbage is not. An unexplained error makes
the node wrong when it is large: a tenth of the value (or of the output's RMS), or enough to bring the
whole output below 40 dB.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aipc.numerics.types import NodeNumerics, Verdict

from .fp16 import FP16_MAX
from .metrics import sqnr_of

Array = np.ndarray[Any, Any]

SQNR_GATE_DB = 40.0
"""Healthy single nodes measured 60 dB and more in the simulator; 40 dB is an error of one per cent of the
signal.
"""
IDEAL_MARGIN_DB = 6.0
"""Twice the error of a correctly rounded execution."""
_EXPLAINED_TIMES = 16.0
_EXPLAINED_FRACTION = 2.0**-6
_LARGE_FRACTION = 0.1
_NOTABLE_FRACTION = 2.0**-5
"""Thirty times the usual error of a node: some element jumped, as where ceil meets a rounded integer."""
_MASK = 1e30
_BOUNDED = ("HardSigmoid", "Sigmoid", "Tanh")


@dataclass(frozen=True, slots=True)
class Sample:
    """What one node should give: fp32 outputs, and the fp16 executions of the same inputs (the first
    unmoved).
    """

    expected: Mapping[str, Array]
    ideals: Sequence[Mapping[str, Array]]


def judge(node: str, op_type: str, sample: Sample, actual: Mapping[str, Array]) -> NodeNumerics:
    """The verdict on one node: that of its worst output. ``actual``: as ``sample.expected``,
    by tensor name, in the shapes and dtypes of the node's outputs."""
    verdicts = [
        _judge_output(node, op_type, name, expected, [ideal[name] for ideal in sample.ideals], actual[name])
        for name, expected in sample.expected.items()
    ]
    return max(verdicts, key=badness)


def badness(result: NodeNumerics) -> tuple[int, float]:
    """Sort key: worse verdicts, then lower SQNR, are larger."""
    order = (Verdict.CPU, Verdict.UNKNOWN, Verdict.OK, Verdict.ROUNDING, Verdict.WRONG)
    return order.index(result.verdict), -(math.inf if result.sqnr_db is None else result.sqnr_db)


def _judge_output(
    node: str, op_type: str, name: str, expected: Array, ideals: Sequence[Array], actual: Array
) -> NodeNumerics:
    if actual.shape != expected.shape:
        detail = f"the simulator gives shape {list(actual.shape)} instead of {list(expected.shape)}"
        return NodeNumerics(node, op_type, Verdict.WRONG, output=name, detail=detail)
    is_float = expected.dtype.kind == "f"
    true, got = expected.astype(np.float64), actual.astype(np.float64)
    # -inf and the lowest float are how masks say "never": saturating them is what every fp16 execution does.
    saturated = int(np.count_nonzero((np.abs(true) > FP16_MAX) & (np.abs(true) < _MASK))) if is_float else 0
    usable = ~np.isnan(true)
    if is_float:
        true = np.clip(true, -FP16_MAX, FP16_MAX)
    error = np.where(usable, np.abs(got - true), 0.0)
    error[np.isnan(error)] = np.inf
    floor, levels = np.zeros_like(error), []
    for ideal in ideals:
        distance = np.where(usable, np.abs(ideal.astype(np.float64) - true), 0.0)
        floor = np.fmax(floor, distance)
        levels.append(sqnr_of(np.where(usable, true, 0.0), distance))
    sqnr = sqnr_of(np.where(usable, true, 0.0), error) if bool(np.isfinite(error).all()) else -math.inf
    values = np.abs(np.where(usable, true, 0.0))
    size = np.fmax(values, _rms(true, usable)) if is_float else np.zeros_like(error)
    # The simulator's sigmoid and tanh are exact to a step of fp16 at 1, not at each of their small values.
    absolute = 2.0**-11 if op_type in _BOUNDED else 0.0
    slack = absolute + _EXPLAINED_TIMES * floor + _EXPLAINED_FRACTION * size
    unexplained = error > (slack if is_float else floor)
    large = error > _LARGE_FRACTION * size
    if bool((large & unexplained).any()) or (
        sqnr < min(SQNR_GATE_DB, min(levels, default=math.inf) - IDEAL_MARGIN_DB) and bool(unexplained.any())
    ):
        verdict = Verdict.WRONG
    elif sqnr < SQNR_GATE_DB or saturated or bool((error > _NOTABLE_FRACTION * size).any()):
        verdict = Verdict.ROUNDING
    else:
        verdict = Verdict.OK
    excess = error - (slack if verdict is Verdict.WRONG else 0.0)
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(excess)), error.shape)) if error.size else ()
    return NodeNumerics(
        node=node,
        op_type=op_type,
        verdict=verdict,
        sqnr_db=sqnr,
        ideal_fp16_sqnr_db=levels[0] if levels else None,
        max_abs=float(error.max(initial=0.0)),
        output=name,
        worst_index=worst,
        expected=float(expected[worst]) if error.size else None,
        actual=float(actual[worst]) if error.size else None,
        wrong_elements=int(np.count_nonzero(unexplained)),
        elements=int(error.size),
        saturated=saturated,
        measured_on=node,
    )


def _rms(values: Array, usable: Array) -> float:
    ordinary = values[usable & (np.abs(values) < FP16_MAX / 2)]
    return float(np.sqrt(np.mean(np.square(ordinary)))) if ordinary.size else 0.0
