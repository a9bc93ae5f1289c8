"""What the outputs are good for: the same class, the same boxes, or what the author's own function says.

Every function takes two lists with one mapping (output name -> array) for each held-out sample, PyTorch's fp32 outputs
and the package's, and returns a number from 0 to 1, or more generally one of which more is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aipc.core.errors import InputError

Array = np.ndarray[Any, Any]
Outputs = Mapping[str, Array]
Metric = Callable[[Sequence[Outputs], Sequence[Outputs]], Any]

SCORE = 0.25
"""A detection counts from this score on, as in the usual demonstrations of YOLO."""
SAME_BOX_IOU = 0.5
_SUPPRESSION_IOU = 0.7
_REMEDY = 'name a function of your own: metric = "file.py:name"'


def classification(references: Sequence[Outputs], actuals: Sequence[Outputs]) -> float:
    """The share of rows whose largest value stands at the same place along the last axis of the first output.

    Raises:
        InputError: the first output has no axis of classes.
    """
    same = total = 0
    for reference, actual in zip(references, actuals, strict=True):
        name = next(iter(reference))
        if reference[name].ndim < 2 or reference[name].shape[-1] < 2:
            raise InputError(f"the output {name!r} has no axis of classes", remedy=_REMEDY)
        wanted, got = reference[name].argmax(-1), actual[name].argmax(-1)
        same += int(np.count_nonzero(wanted == got))
        total += wanted.size
    return same / total if total else 1.0


def detection(references: Sequence[Outputs], actuals: Sequence[Outputs]) -> float:
    """2 x matched boxes / (boxes of PyTorch + boxes of the package): 1 when each has its like, of one class.

    Boxes match from an intersection over union of 0.5 on. Without a box in any sample nothing can be said: an error.

    Raises:
        InputError: the outputs are of no known form, or PyTorch finds no box in any sample.
    """
    matched = count = wanted = 0
    for reference, actual in zip(references, actuals, strict=True):
        true, predicted = boxes_of(reference), boxes_of(actual)
        wanted += len(true[0])
        count += len(true[0]) + len(predicted[0])
        matched += _matched(true, predicted)
    if not wanted:
        raise InputError("PyTorch finds no object in the held-out data", remedy="give data with objects in it")
    return 2 * matched / count


def boxes_of(outputs: Outputs) -> tuple[Array, Array]:
    """(boxes as x1 y1 x2 y2, classes) of one sample, the overlapping ones of a class suppressed.

    Two forms are known: ``boxes`` and ``scores`` (with or without ``labels``) as outputs of these names, and one tensor
    of centre, size and class scores, [1, 4 + classes, boxes] or [1, boxes, 4 + classes].
    """
    if {"boxes", "scores"} <= set(outputs):
        boxes, scores = outputs["boxes"].reshape(-1, 4), outputs["scores"]
        labels = outputs.get("labels")
        if labels is None and scores.size > len(boxes):
            scores = scores.reshape(len(boxes), -1)
            labels, scores = scores.argmax(-1), scores.max(-1)
        labels = np.zeros(len(boxes), np.int64) if labels is None else labels.ravel()
        return _suppressed(boxes, scores.ravel(), labels)
    name = next((name for name, value in outputs.items() if value.ndim == 3 and value.shape[0] == 1), None)
    if name is None or min(outputs[name].shape[1:]) < 5:
        raise InputError("the outputs are no boxes of a known form", remedy=_REMEDY)
    rows = outputs[name][0]
    rows = rows.T if rows.shape[0] < rows.shape[1] else rows
    centre, size, scores = rows[:, :2], rows[:, 2:4], rows[:, 4:]
    boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    return _suppressed(boxes, scores.max(-1), scores.argmax(-1))


def _suppressed(boxes: Array, scores: Array, labels: Array) -> tuple[Array, Array]:
    order = [int(index) for index in np.argsort(-scores, kind="stable") if scores[index] >= SCORE]
    selected: list[int] = []
    for index in order:
        rivals = [other for other in selected if labels[other] == labels[index]]
        if not rivals or _iou(boxes[index], boxes[rivals]).max() <= _SUPPRESSION_IOU:
            selected.append(index)
    return boxes[selected], labels[selected]


def _matched(true: tuple[Array, Array], actual: tuple[Array, Array]) -> int:
    free = list(range(len(actual[0])))
    matched = 0
    for box, label in zip(*true, strict=True):
        rivals = [index for index in free if actual[1][index] == label]
        if not rivals:
            continue
        overlap = _iou(box, actual[0][rivals])
        if overlap.max() >= SAME_BOX_IOU:
            free.remove(rivals[int(overlap.argmax())])
            matched += 1
    return matched


def _iou(box: Array, others: Array) -> Array:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.clip(high - low, 0, None).prod(-1)
    areas = (others[:, 2:] - others[:, :2]).prod(-1) + (box[2:] - box[:2]).prod()
    return np.asarray(common / np.maximum(areas - common, 1e-12))


BUILT_IN: Mapping[str, Metric] = {"classification": classification, "detection": detection}
