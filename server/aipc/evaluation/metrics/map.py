"""Mean average precision of boxes, COCO's (IoU 0.50 to 0.95), by torchmetrics and pycocotools.

Outputs: ``boxes`` [n, 4] as x1 y1 x2 y2 with ``scores`` [n] and ``labels`` [n], or with ``scores`` [n, classes] of all
classes, or a YOLO's one tensor [1, 4 + classes, n] of centre, size and scores. The last two go through non-maximum
suppression.
Targets: mappings with ``boxes`` in the pixels of the model's input and ``labels``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torchmetrics.detection import MeanAveragePrecision
from torchvision.ops import batched_nms

from aipc.core.errors import InputError

from ._metric import Metric

_REMEDY = "make boxes, scores and labels of them with --decode file.py:name"
_LEAST_SCORE, _SUPPRESSION_IOU, _MOST = 0.001, 0.7, 300
"""As the common validation of YOLO models has them."""


def predictions(outputs: Any) -> dict[str, torch.Tensor]:
    """Boxes [n, 4], scores [n] and labels [n] of one sample.

    Raises:
        InputError: the outputs are none of the known forms, or their sizes do not fit each other.
    """
    if not isinstance(outputs, Mapping):
        raise InputError("the outputs are no boxes of a known form", remedy=_REMEDY)
    if {"boxes", "scores"} <= set(outputs):
        boxes = torch.as_tensor(np.array(outputs["boxes"], np.float32)).reshape(-1, 4)
        scores = torch.as_tensor(np.array(outputs["scores"], np.float32))
        if "labels" not in outputs and scores.ndim >= 2 and scores.shape[-2] == len(boxes):
            return _of_classes(boxes, scores.reshape(-1, scores.shape[-1]))
        scores = scores.reshape(-1)
        labels = torch.as_tensor(np.array(outputs.get("labels", np.zeros(len(boxes))), np.int64)).reshape(-1)
        _check_lengths(boxes, scores, labels)
        return {"boxes": boxes, "scores": scores, "labels": labels}
    rows = next((value[0] for value in outputs.values() if value.ndim == 3 and value.shape[0] == 1), None)
    if rows is None or min(rows.shape) < 5:
        raise InputError("the outputs are no boxes of a known form", remedy=_REMEDY)
    rows = torch.from_numpy(np.array(rows.T if rows.shape[0] < rows.shape[1] else rows, np.float32))
    centre, size = rows[:, :2], rows[:, 2:4]
    return _of_classes(torch.cat([centre - size / 2, centre + size / 2], 1), rows[:, 4:])


def _of_classes(boxes: torch.Tensor, scores: torch.Tensor) -> dict[str, torch.Tensor]:
    """Boxes [n, 4] and the scores of all classes [n, classes] after non-maximum suppression."""
    _check_lengths(boxes, scores)
    best, labels = scores.max(1)
    confident = best > _LEAST_SCORE
    boxes, best, labels = boxes[confident], best[confident], labels[confident]
    order = batched_nms(boxes, best, labels, _SUPPRESSION_IOU)[:_MOST]
    return {"boxes": boxes[order], "scores": best[order], "labels": labels[order]}


def _check_lengths(boxes: torch.Tensor, *others: torch.Tensor) -> None:
    for other in others:
        if len(other) != len(boxes):
            raise InputError(f"the outputs have {len(boxes)} boxes and {len(other)} scores or labels", remedy=_REMEDY)


def statistic(outputs: Any, target: Any) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    if not isinstance(target, Mapping) or not {"boxes", "labels"} <= set(target):
        raise InputError("a target has no boxes and labels", remedy='give {"boxes": [n, 4], "labels": [n]}')
    wanted = {
        "boxes": torch.as_tensor(np.array(target["boxes"], np.float32)).reshape(-1, 4),
        "labels": torch.as_tensor(np.array(target["labels"], np.int64)).reshape(-1),
    }
    return predictions(outputs), wanted


def total(pairs: Sequence[Any]) -> float:
    measure = MeanAveragePrecision(box_format="xyxy", iou_type="bbox")
    measure.warn_on_many_detections = False  # COCO counts the best 100
    measure.update([actual for actual, _ in pairs], [wanted for _, wanted in pairs])
    return max(0.0, float(measure.compute()["map"]))  # -1 where no sample has a box


METRIC = Metric(name="map", statistic=statistic, total=total, score=lambda pair: total([pair]), resamples=100)
