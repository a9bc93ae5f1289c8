"""What a tensor held, in a fixed amount of memory: its range, and how often which value.

The bins lie evenly in [-radius, radius] and the radius is a power of two. A value outside doubles the radius and joins
neighbouring bins, which is exact: the same samples give the same histogram in any order and after any interruption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BINS = 8192
_SMALLEST_RADIUS = 2.0**-24


@dataclass(slots=True)
class Histogram:
    """``counts`` of the values other than 0; ``zeros`` are exact in every encoding and counted apart."""

    low: float = math.inf
    high: float = -math.inf
    radius: float = _SMALLEST_RADIUS
    zeros: int = 0
    invalid: int = 0
    """Values that were NaN or infinite: in no bin."""
    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))

    @property
    def total(self) -> int:
        return int(self.counts.sum()) + self.zeros

    def add(self, array: Array) -> None:
        """Count the elements of a float array of any shape."""
        values = array.ravel()
        low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        if not (math.isfinite(low) and math.isfinite(high)):
            finite = values[np.isfinite(values)]
            self.invalid += values.size - finite.size
            values = finite
            low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        if not values.size:
            return
        self.low, self.high = min(self.low, low), max(self.high, high)
        while self.radius < max(abs(low), abs(high)):
            self._widen()
        # float32 throughout and in place: 8192 bins need no more, and this runs over every activation of the model.
        place = values.astype(np.float32)
        with np.errstate(over="ignore"):
            place *= np.float32(1 / self.radius)
        place += 1
        place *= np.float32(BINS / 2)
        index = place.astype(np.intp)
        counts = np.bincount(np.minimum(index, BINS - 1, out=index), minlength=BINS)
        zeros = values.size - int(np.count_nonzero(values))
        counts[BINS // 2] -= zeros
        self.zeros += zeros
        self.counts += counts

    def _widen(self) -> None:
        half = BINS // 4
        merged = self.counts.reshape(-1, 2).sum(1)
        self.counts = np.zeros(BINS, np.int64)
        self.counts[half : half + BINS // 2] = merged
        self.radius *= 2

    def centers(self) -> Array:
        """The middle of every bin."""
        return (np.arange(BINS) + 0.5) * (2 * self.radius / BINS) - self.radius
