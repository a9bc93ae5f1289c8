"""Mean average precision of boxes, COCO's (IoU 0.50 to 0.95), by torchmetrics and pycocotools.

Outputs: ``boxes`` [n, 4] as x1 y1 x2 y2 with ``scores`` and ``labels``, or a YOLO's one tensor [1, 4 + classes, n].
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

_LEAST_SCORE, _SUPPRESSION_IOU, _MOST = 0.001, 0.7, 300
"""As the common validation of YOLO models has them."""


def predictions(outputs: Any) -> dict[str, torch.Tensor]:
    """Boxes, scores and labels of one sample."""
    if isinstance(outputs, Mapping) and {"boxes", "scores"} <= set(outputs):
        boxes = torch.as_tensor(np.array(outputs["boxes"], np.float32)).reshape(-1, 4)
        scores = torch.as_tensor(np.array(outputs["scores"], np.float32)).reshape(-1)
        labels = torch.as_tensor(np.array(outputs.get("labels", np.zeros(len(boxes))), np.int64)).reshape(-1)
    else:
        rows = next((value[0] for value in dict(outputs).values() if value.ndim == 3 and value.shape[0] == 1), None)
        if rows is None or min(rows.shape) < 5:
            raise InputError("the outputs are no boxes of a known form", remedy="make boxes of them with --decode")
        rows = torch.from_numpy(np.array(rows.T if rows.shape[0] < rows.shape[1] else rows, np.float32))
        centre, size = rows[:, :2], rows[:, 2:4]
        boxes = torch.cat([centre - size / 2, centre + size / 2], 1)
        scores, labels = rows[:, 4:].max(1)
        confident = scores > _LEAST_SCORE
        boxes, scores, labels = boxes[confident], scores[confident], labels[confident]
        order = batched_nms(boxes, scores, labels, _SUPPRESSION_IOU)[:_MOST]
        boxes, scores, labels = boxes[order], scores[order], labels[order]
    return {"boxes": boxes, "scores": scores, "labels": labels}


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
    measure.update([actual for actual, _ in pairs], [wanted for _, wanted in pairs])
    return max(0.0, float(measure.compute()["map"]))  # -1 where no sample has a box


METRIC = Metric(name="map", statistic=statistic, total=total, score=lambda pair: total([pair]), resamples=100)
