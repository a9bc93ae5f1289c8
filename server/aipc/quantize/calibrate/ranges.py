"""From what calibration saw of a tensor to the range that its integers cover.

Every range holds 0, because padding and ReLU need it exact. ``minmax`` covers all that was seen, with headroom where
there are bits for it; ``percentile`` leaves out the farthest values; ``mse`` is the range with the least squared error
of clipping and rounding together; ``entropy`` the one whose quantized distribution is nearest to what was seen
(Kullback-Leibler, as in Migacz, "8-bit inference with TensorRT", GTC 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aipc.quantize.plan import RangeMethod

from .histogram import BINS, Histogram

Array = np.ndarray[Any, Any]

PERCENTILE = 99.999
_SMALLEST_RANGE = 1e-4
"""A range of 0 has no scale; QNN refuses scales near 0."""
_STEPS = 48
HEADROOM = 1.5
"""Of 16-bit ranges, as a factor on both ends: other data goes beyond what a few samples showed, and a value that is cut
off costs more than half a bit of 16. A GRU of ten steps, 20 samples: 15 dB without it, 40 dB from 1.5 on. With 3 the
simulator gives attention over a cache 22 dB where it has more than 30 with 1.5."""
_ROOMY_BITS = 16
_LARGEST = float(np.finfo(np.float32).max)


def range_of(histogram: Histogram, method: RangeMethod, parameter: float | None, bits: int) -> tuple[float, float]:
    """(low, high) for ``bits``-bit integers, ``low`` <= 0 <= ``high``."""
    low, high = min(histogram.low, 0.0), max(histogram.high, 0.0)
    if high - low > _SMALLEST_RANGE:
        if method == "percentile":
            low, high = _percentile(histogram, parameter or PERCENTILE)
        elif method == "mse":
            low, high = _mse(histogram, low, high, bits)
        elif method == "entropy":
            low, high = _entropy(histogram, low, high, bits)
        elif bits >= _ROOMY_BITS:
            low, high = max(HEADROOM * low, -_LARGEST), min(HEADROOM * high, _LARGEST)
    if high - low < _SMALLEST_RANGE:
        high = low + _SMALLEST_RANGE
    return float(low), float(high)


def _percentile(histogram: Histogram, percent: float) -> tuple[float, float]:
    counts = histogram.counts.astype(np.float64)
    counts[BINS // 2] += histogram.zeros
    share = np.cumsum(counts) / counts.sum()
    tail = (1 - percent / 100) / 2
    width = 2 * histogram.radius / BINS
    first, last = int(np.searchsorted(share, tail, "right")), int(np.searchsorted(share, 1 - tail, "left"))
    low, high = first * width - histogram.radius, (min(last, BINS - 1) + 1) * width - histogram.radius
    return max(min(low, 0.0), min(histogram.low, 0.0)), min(max(high, 0.0), max(histogram.high, 0.0))


def _mse(histogram: Histogram, low: float, high: float, bits: int) -> tuple[float, float]:
    """The best pair of a grid of shares of both ends.

    In the range the error of a step s is s**2 / 12 for each value, outside it is the distance to the nearer end.
    """
    centers, counts = histogram.centers(), histogram.counts.astype(np.float64)
    shares = np.linspace(1.0, 0.05, _STEPS)
    ends_high, ends_low = shares * high, shares * low
    above = np.array([_clipped(centers, counts, end) for end in ends_high]) if high > 0 else np.zeros(_STEPS)
    below = np.array([_clipped(-centers, counts, -end) for end in ends_low]) if low < 0 else np.zeros(_STEPS)
    step = (ends_high[:, None] - ends_low[None, :]) / (2**bits - 1)
    error = above[:, None] + below[None, :] + step**2 / 12 * counts.sum()
    best_high, best_low = np.unravel_index(int(error.argmin()), error.shape)
    return float(ends_low[best_low]), float(ends_high[best_high])


def _clipped(centers: Array, counts: Array, end: float) -> float:
    beyond = centers > end
    return float((counts[beyond] * (centers[beyond] - end) ** 2).sum())


def _entropy(histogram: Histogram, low: float, high: float, bits: int) -> tuple[float, float]:
    """Both ends shrunk by one share: the pair with the smallest divergence."""
    counts = histogram.counts.astype(np.float64)
    counts[BINS // 2] += histogram.zeros
    levels = min(2**bits, 256)
    centers = histogram.centers()
    best, best_range = np.inf, (low, high)
    # The radius is below twice the farther end: 0.2 of the range still holds more bins (409) than there are levels.
    for share in np.linspace(1.0, 0.2, _STEPS):
        start, end = share * low, share * high
        inside = (centers >= start) & (centers <= end)
        divergence = _divergence(counts, inside, levels)
        if divergence < best:
            best, best_range = divergence, (start, end)
    return best_range


def _divergence(counts: Array, inside: Array, levels: int) -> float:
    """Kullback-Leibler divergence of the bins ``inside``, quantized to ``levels``, from all ``counts`` clipped to them.

    The nearest bin inside takes what lies beyond; a level's count is spread evenly over its bins that are not empty.
    """
    counts_inside = counts[inside]
    clipped = counts_inside.copy()
    where = np.flatnonzero(inside)
    clipped[0] += counts[: where[0]].sum()
    clipped[-1] += counts[where[-1] + 1 :].sum()
    group = np.arange(counts_inside.size) * levels // counts_inside.size
    filled = (counts_inside > 0).astype(np.float64)
    sums, members = np.bincount(group, counts_inside, levels), np.bincount(group, filled, levels)
    spread = np.divide(sums, members, out=np.zeros(levels), where=members > 0)[group] * filled
    p, q = clipped / clipped.sum(), spread / max(spread.sum(), 1.0)
    known = p > 0
    return float((p[known] * np.log(p[known] / np.maximum(q[known], 1e-12))).sum())
