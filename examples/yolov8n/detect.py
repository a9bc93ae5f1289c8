"""List the objects that PyTorch and a deployed package see: ``python detect.py PACKAGE``.

Decoding, non-maximum suppression and comparison are plain numpy: what an application runs on the CPU.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from ultralytics.cfg import YAML
from ultralytics.utils import ROOT

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from model import PICTURE, build, prepare
from shared.package import run_package


@dataclass(frozen=True)
class Detection:
    kind: int
    score: float
    box: np.ndarray
    """left, top, right, bottom in pixels of the picture"""


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of float[4] with float[N, 4], as float[N]."""
    corner = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.clip(corner, 0, None), axis=1)
    area, areas = np.prod(box[2:] - box[:2]), np.prod(others[:, 2:] - others[:, :2], axis=1)
    return shared / (area + areas - shared)


def decode(
    output: np.ndarray, scale: float, border: tuple[int, int], score: float = 0.25, iou: float = 0.5
) -> list[Detection]:
    """Detections from the network's float32[1, 84, 8400] (centre, size and 80 class scores per anchor)."""
    predictions = output[0].T
    kinds, scores = predictions[:, 4:].argmax(axis=1), predictions[:, 4:].max(axis=1)
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > score]
    centre, size = predictions[order, :2], predictions[order, 2:4]
    boxes = (np.hstack([centre - size / 2, centre + size / 2]) - np.array([*border, *border])) / scale
    kept: list[Detection] = []
    while len(order):
        best, kind = boxes[0], int(kinds[order[0]])
        kept.append(Detection(kind, float(scores[order[0]]), best))
        others = (overlap(best, boxes) < iou) | (kinds[order] != kind)
        others[0] = False
        order, boxes = order[others], boxes[others]
    return kept


def same(one: list[Detection], other: list[Detection], pixels: float = 1.0, score: float = 0.01) -> bool:
    """Whether both lists hold the same objects: class, box within ``pixels`` and score within ``score``."""

    def matches(a: Detection, b: Detection) -> bool:
        return a.kind == b.kind and abs(a.score - b.score) < score and bool(np.abs(a.box - b.box).max() < pixels)

    rest = list(other)
    for detection in one:
        match = next((candidate for candidate in rest if matches(detection, candidate)), None)
        if match is None:
            return False
        rest.remove(match)
    return not rest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", nargs="?", type=Path, help="directory that `aipc deploy` wrote")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    image, scale, border = prepare(arguments.picture)
    with torch.no_grad():
        outputs = {"PyTorch": build()(torch.from_numpy(image)).numpy()}
    if arguments.package:
        outputs["package"] = run_package(arguments.package, [image])[0]
    found = {name: decode(output, scale, border) for name, output in outputs.items()}
    labels = YAML.load(ROOT / "cfg" / "datasets" / "coco.yaml")["names"]
    for name, detections in found.items():
        print(f"{name}: {len(detections)} objects")
        for detection in detections:
            box = ", ".join(f"{edge:.1f}" for edge in detection.box)
            print(f"  {labels[detection.kind]:<8} {detection.score:.3f}  [{box}]")
    if not arguments.package:
        return 0
    equal = same(found["PyTorch"], found["package"])
    print("equal" if equal else "DIFFERENT")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
