"""Verdicts on the numbers of single nodes: frozen, and light, so that any process can read them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """How a node's own numbers on the simulator compare, given its true inputs.

    ``OK``: as near to fp32 as fp16 lets it be, and near enough. ``ROUNDING``: far from fp32, and a
    correctly rounded fp16 execution is too (or the true values lie outside fp16's range). ``WRONG``:
    farther than rounding explains. ``CPU``: not on the NPU. ``UNKNOWN``: could not be measured; ``detail``
    says why.
    """

    OK = "ok"
    ROUNDING = "rounding"
    WRONG = "wrong"
    CPU = "cpu"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NodeNumerics:
    """One node's own error on the simulator, given its true fp32 inputs; decibels against fp32."""

    node: str
    op_type: str
    verdict: Verdict
    sqnr_db: float | None = None
    ideal_fp16_sqnr_db: float | None = None
    max_abs: float | None = None
    output: str = ""
    """The node's output tensor that is worst."""
    worst_index: tuple[int, ...] = ()
    """Where ``output`` differs most, with ``expected`` (fp32) and ``actual`` (simulator) there."""
    expected: float | None = None
    actual: float | None = None
    wrong_elements: int = 0
    elements: int = 0
    saturated: int = 0
    """Elements whose true value is finite but outside the range of fp16 on the HTP (131008)."""
    measured_on: str = ""
    """The node that was run for this verdict: itself, or one with the same operator, attributes, shapes
    and constants.
    """
    detail: str = ""
