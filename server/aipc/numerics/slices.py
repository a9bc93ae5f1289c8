"""Parts of an output that live in another range than the rest, each compared on its own.

A detector's output holds coordinates up to 640 beside scores below 1: with every score lost, the whole output still has
a cosine of 0.996. So the indices of one axis are grouped by the decade of their peak in the reference, and each run of
neighbours in one group is a part with figures of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aipc.core.types import Event, OutputAccuracy
from aipc.numerics.npz import read_npz

from .metrics import accuracy

Array = np.ndarray[Any, Any]

_MOST_INDICES = 4096
_MOST_PARTS = 8
_DECADES = 1.0
"""Two neighbours are of one part when their peaks differ by less than this, as a power of ten."""


def slices(
    report: Callable[[Event], None], *, references: Sequence[str], actuals: Sequence[str]
) -> tuple[OutputAccuracy, ...]:
    """The parts of every output that has parts, over all samples together, as a job.

    Args:
        references, actuals: ``.npz`` files, one a sample, in one order.
    """
    return slice_outputs(_joined(references), _joined(actuals))


def _joined(paths: Sequence[str]) -> dict[str, Array]:
    """The samples one after the other along the first axis, so that parts are of all of them."""
    read = [read_npz(path) for path in paths]
    joined = {}
    for name, value in read[0].items():
        values = [item[name] for item in read if name in item]
        joined[name] = np.concatenate(values) if value.ndim else value
    return joined


def slice_outputs(reference: Mapping[str, Array], actual: Mapping[str, Array]) -> tuple[OutputAccuracy, ...]:
    """One figure for each part, named as it is indexed: ``output[:, 4:84]``. Outputs of one range have none.

    Args:
        reference: output name -> array of any shape; only float dtypes are compared.
        actual: the same names; an output of another shape is left out.
    """
    accuracies = []
    for name, value in reference.items():
        if name not in actual or actual[name].shape != value.shape or value.dtype.kind != "f":
            continue
        axis, parts = _parts(value)
        if len(parts) < 2:
            continue
        for start, stop in parts:
            where = (slice(None),) * axis + (slice(start, stop),)
            accuracies.append(accuracy(f"{name}[{':, ' * axis}{start}:{stop}]", value[where], actual[name][where]))
    return tuple(accuracies)


def _parts(value: Array) -> tuple[int, list[tuple[int, int]]]:
    """The axis along which the peaks differ most, and its runs of neighbours with like peaks."""
    best, ranges = 0, list[tuple[int, int]]()
    widest = _DECADES
    for axis in range(1, value.ndim):
        if not 2 <= value.shape[axis] <= _MOST_INDICES:
            continue
        others = tuple(index for index in range(value.ndim) if index != axis)
        peaks = np.nan_to_num(np.abs(value), nan=0.0, posinf=0.0).max(axis=others)
        parts = _runs(peaks)
        if len(parts) > _MOST_PARTS:  # such as scores of classes of which some are never seen
            parts = _levels(peaks)
        used = peaks[peaks > 0]
        spread = math.log10(float(used.max()) / float(used.min())) if used.size else 0.0
        if spread > widest and 2 <= len(parts) <= _MOST_PARTS:
            best, ranges, widest = axis, parts, spread
    return best, ranges


def _runs(peaks: Array) -> list[tuple[int, int]]:
    """Neighbours belong together while the smallest and the largest peak of the run are within a decade and a bit."""
    runs: list[tuple[int, int]] = []
    start, low, high = 0, math.inf, 0.0
    for index, peak in enumerate(peaks):
        value = max(float(peak), 1e-30)
        if index > start and math.log10(max(high, value) / min(low, value)) > _DECADES:
            runs.append((start, index))
            start, low, high = index, math.inf, 0.0
        low, high = min(low, value), max(high, value)
    return [*runs, (start, len(peaks))]


def _levels(peaks: Array) -> list[tuple[int, int]]:
    """Neighbours that are all among the large ones, or all not."""
    large = peaks > float(peaks.max()) / 10**_DECADES
    ends = [*(np.flatnonzero(large[1:] != large[:-1]) + 1).tolist(), len(peaks)]
    return list(zip([0, *ends[:-1]], ends, strict=True))
