"""How far one set of outputs is from another: cosine, SQNR, absolute and relative error, NaN and infinity.

Conventions, because every one of these has an edge:

- Elements where both sides are NaN, or the same infinity, agree and take no part in the figures.
- ``nan`` and ``inf`` count the positions where one side is not finite and the other differs. An actual
  value that is not finite where the reference is finite makes the figures as bad as can be (SQNR -inf,
  cosine NaN): no threshold passes.
- A reference that is not finite where the actual value is finite (the HTP has no infinity and no NaN: both
  become 131008) is counted, and left out of the other figures.
- An output that agrees exactly, the empty one included, has SQNR +inf and cosine 1. An all-zero reference
  against anything else has SQNR -inf and cosine 0.
- Integers and booleans are compared as numbers, exactly.
- The relative error divides by max(abs(reference), 2**-14), the smallest normal fp16: below it fp16 keeps
  no relative precision.

SQNR is 10 log10(sum(reference**2) / sum((actual - reference)**2)), in dB.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from aipc.core.errors import QairtError
from aipc.core.types import OutputAccuracy

Array = np.ndarray[Any, Any]

SMALLEST_NORMAL_FP16 = 2.0**-14


def accuracy(name: str, reference: Array, actual: Array, *, ideal_fp16_sqnr_db: float | None = None) -> OutputAccuracy:
    """Distance of ``actual`` to ``reference``, two arrays of one shape and any numeric dtypes.

    Raises:
        QairtError: the shapes differ, or the dtype is not numeric.
    """
    wanted, got = _comparable(name, reference), _comparable(name, actual)
    if reference.shape != actual.shape:
        raise QairtError(
            f"output {name!r} has shape {list(actual.shape)} where the reference has {list(reference.shape)}",
            remedy="compare outputs of the same model on the same inputs",
        )
    nan_reference, nan_actual = np.isnan(wanted), np.isnan(got)
    nan = int(np.count_nonzero(nan_reference != nan_actual))
    infinite = (np.isinf(wanted) | np.isinf(got)) & ~nan_reference & ~nan_actual & (wanted != got)
    inf = int(np.count_nonzero(infinite))
    if bool(np.any(np.isfinite(wanted) & ~np.isfinite(got))):
        return OutputAccuracy(name, math.nan, -math.inf, math.inf, math.inf, nan, inf, ideal_fp16_sqnr_db)
    usable = np.isfinite(wanted) & np.isfinite(got)
    difference = _difference(reference, actual, wanted, got)[usable]
    wanted, got = wanted[usable], got[usable]
    magnitude = np.abs(difference)
    relative = magnitude / np.maximum(np.abs(wanted), SMALLEST_NORMAL_FP16)
    return OutputAccuracy(
        name=name,
        cosine=_cosine(wanted, got, exact=not bool(difference.any())),
        sqnr_db=sqnr_of(wanted, difference),
        max_abs=float(magnitude.max(initial=0.0)),
        max_rel=float(relative.max(initial=0.0)),
        nan=nan,
        inf=inf,
        ideal_fp16_sqnr_db=ideal_fp16_sqnr_db,
    )


def sqnr_db(reference: Array, actual: Array) -> float:
    """SQNR of ``actual`` in dB, by the conventions of this module; both have one shape."""
    return accuracy("", reference, actual).sqnr_db


def compare_outputs(
    reference: Mapping[str, Array], actual: Mapping[str, Array], ideal_fp16: Mapping[str, float] | None = None
) -> tuple[OutputAccuracy, ...]:
    """One OutputAccuracy for each reference output, in the reference's order.

    Args:
        ideal_fp16: output name -> SQNR in dB of a correctly rounded fp16 execution
            (``fp16.ideal_fp16_sqnr``).

    Raises:
        QairtError: the two sides do not have the same outputs, or one has another shape.
    """
    if set(reference) != set(actual):
        missing = sorted(set(reference) ^ set(actual))
        raise QairtError(f"output {missing[0]!r} exists on one side only", remedy="compare outputs of the same model")
    ideal = ideal_fp16 or {}
    return tuple(
        accuracy(name, np.asarray(value), np.asarray(actual[name]), ideal_fp16_sqnr_db=ideal.get(name))
        for name, value in reference.items()
    )


def sqnr_of(reference: Array, difference: Array) -> float:
    """SQNR in dB of finite float64 values and their errors."""
    noise_peak = float(np.abs(difference).max(initial=0.0))
    if noise_peak == 0.0:
        return math.inf
    signal_peak = float(np.abs(reference).max(initial=0.0))
    if signal_peak == 0.0:
        return -math.inf
    # Scaled by their peaks, the squares of the largest and the smallest float64 neither overflow nor vanish.
    signal = float(np.square(reference / signal_peak).sum())
    noise = float(np.square(difference / noise_peak).sum())
    return 10 * math.log10(signal / noise) + 20 * (math.log10(signal_peak) - math.log10(noise_peak))


def _cosine(reference: Array, actual: Array, *, exact: bool) -> float:
    if exact:
        return 1.0
    peaks = [float(np.abs(value).max(initial=0.0)) for value in (reference, actual)]
    if 0.0 in peaks:
        return 0.0
    a, b = reference.ravel() / peaks[0], actual.ravel() / peaks[1]
    return float(np.clip(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)), -1.0, 1.0))


def _comparable(name: str, array: Array) -> Array:
    if np.iscomplexobj(array):
        array = np.ascontiguousarray(array)
        return np.stack([array.real, array.imag], axis=-1).astype(np.float64)
    if array.dtype.kind not in "biufV":
        raise QairtError(f"output {name!r} has dtype {array.dtype}, which is not a number")
    return np.asarray(array.astype(np.float64))


def _difference(reference: Array, actual: Array, wanted: Array, got: Array) -> Array:
    with np.errstate(invalid="ignore"):
        difference = got - wanted
    integers = reference.dtype.kind in "iu" and actual.dtype.kind in "iu"
    if integers:
        # float64 cannot tell large int64 neighbours apart: they differ by at least one.
        unequal = reference != actual
        difference = np.where(unequal & (difference == 0), 1.0, difference)
    return difference
