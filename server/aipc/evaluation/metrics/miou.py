"""Mean intersection over union of classes, from one confusion matrix over all samples.

Pixels of class 255 do not count. The first output is [1, classes, H, W] or a map of class numbers;
the target is a map of class numbers.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from aipc.core.errors import InputError

from ._metric import Metric, first_output

_IGNORED = 255


def confusion(outputs: Any, target: Any) -> np.ndarray[Any, Any]:
    """[true class, predicted class] -> pixels."""
    wanted = np.asarray(target).astype(np.int64).reshape(-1)
    predicted = first_output(outputs)
    predicted = predicted.argmax(1) if predicted.ndim == 4 and predicted.shape[1] > 1 else predicted
    classes = predicted.reshape(-1).astype(np.int64)
    if classes.size != wanted.size:
        raise InputError(
            f"the output has {classes.size} pixels and the target {wanted.size}",
            remedy="give targets of the output's height and width",
        )
    valid = (wanted != _IGNORED) & (wanted >= 0)
    count = int(max(classes.max(initial=0), wanted[valid].max(initial=0))) + 1
    return np.bincount(wanted[valid] * count + classes[valid], minlength=count * count).reshape(count, count)


def total(matrices: Sequence[Any]) -> float:
    count = max(len(matrix) for matrix in matrices)
    summed = np.zeros((count, count), np.int64)
    for matrix in matrices:
        summed[: len(matrix), : len(matrix)] += matrix
    union = summed.sum(0) + summed.sum(1) - np.diag(summed)
    present = union > 0
    return float((np.diag(summed)[present] / union[present]).mean()) if present.any() else 1.0


METRIC = Metric(name="miou", statistic=confusion, total=total, score=lambda matrix: total([matrix]))
