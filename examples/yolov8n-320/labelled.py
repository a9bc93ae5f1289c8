"""Photographs with the boxes that the detector finds in fp32: data for ``aipc evaluate --metric map``.

Nobody labelled these pictures for its classes. So the figure says how many of float's boxes the package keeps, not how
good the detector is.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import nudenet
import numpy as np
import onnxruntime
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from model import prepared
from shared.pictures import CALIBRATION, HELD_OUT, pictures

PEOPLE = {
    "ultralytics": ["assets/bus.jpg", "assets/zidane.jpg"],
    "skimage": ["data/astronaut.png"],
    "matplotlib": ["mpl-data/sample_data/grace_hopper.jpg"],
}
COUNT, SCORE, OVERLAP = 24, 0.3, 0.5


def photographs() -> Iterator[tuple[Image.Image, dict[str, np.ndarray]]]:
    """People, whole and in random parts, then other scenes, in which nothing is to be found."""
    session = onnxruntime.InferenceSession(
        Path(nudenet.__file__).parent / "320n.onnx", providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    for table, count in ((PEOPLE, COUNT * 3 // 4), ({**CALIBRATION, **HELD_OUT}, COUNT // 4)):
        for picture in pictures(table, count, seed=1):
            (output,) = session.run(None, {name: prepared(picture)})
            yield picture, boxes(output)


def boxes(output: np.ndarray) -> dict[str, np.ndarray]:
    """float32[1, 4 + classes, anchors] after non-maximum suppression, in pixels of the input: x1 y1 x2 y2."""
    rows = output[0].T
    scores, labels = rows[:, 4:].max(1), rows[:, 4:].argmax(1)
    corners = np.hstack([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2])
    order = [index for index in np.argsort(-scores) if scores[index] > SCORE]
    kept: list[int] = []
    for index in order:
        if all(labels[index] != labels[other] or overlap(corners[index], corners[other]) < OVERLAP for other in kept):
            kept.append(int(index))
    return {"boxes": corners[kept].astype(np.float32).reshape(-1, 4), "labels": labels[kept].astype(np.int64)}


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union."""
    size = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None)
    shared = float(size.prod())
    return shared / (float((one[2:] - one[:2]).prod()) + float((other[2:] - other[:2]).prod()) - shared)
