"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aipc.core.errors import InputError

Array = np.ndarray[Any, Any]
Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure over samples, in two steps, so that samples can be drawn again for its interval.

    Args:
        statistic: what one sample contributes; called with the outputs (or what ``--decode`` makes of them) and the
            target. Raises InputError when they do not fit.
        total: the figure of many samples' statistics.
        score: how good one sample is, to find the worst.
        proportion: each statistic is 0 or 1 and the total their mean.
        resamples: of the bootstrap; fewer where ``total`` is slow.
    """

    name: str
    statistic: Callable[[Any, Any], Any]
    total: Callable[[Sequence[Any]], float]
    score: Callable[[Any], float] = float
    unit: str = ""
    more_is_better: bool = True
    proportion: bool = False
    resamples: int = 1000


def mean(values: Sequence[Any]) -> float:
    return float(np.mean([float(value) for value in values]))


def first_output(outputs: Any) -> Array:
    """The first output of a package; what a decoder made is taken as it is."""
    if not isinstance(outputs, Mapping):
        return np.asarray(outputs)
    return np.asarray(next(iter(outputs.values())))


def rank(outputs: Any, target: Any) -> int:
    """How many classes have a larger value than the target's; the first output is [1, classes] or [classes].

    Raises:
        InputError: the target is no class of the output.
    """
    values = first_output(outputs).reshape(-1)
    label = int(np.asarray(target).reshape(-1)[0])
    if not 0 <= label < len(values):
        raise InputError(f"the target {label} is no class of an output with {len(values)}", remedy="give class numbers")
    return int(np.count_nonzero(values > values[label]))
