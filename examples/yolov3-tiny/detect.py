"""List the objects that PyTorch and a deployed package see in a picture: ``python detect.py PACKAGE [PICTURE]``."""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from model import PICTURE, build, letterboxed, weights_folder
from shared.package import run_package

SCORE, SAME = 0.25, 0.45
"""The least score of an object; two boxes of a class that overlap by more are one."""


def overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of float[4] with float[N, 4], as float[N]."""
    corner = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.clip(corner, 0, None), axis=1)
    area, areas = np.prod(box[2:] - box[:2]), np.prod(others[:, 2:] - others[:, :2], axis=1)
    return shared / (area + areas - shared)


def objects(boxes: np.ndarray, scores: np.ndarray) -> list[tuple[int, float, np.ndarray]]:
    """(class, score, box) of each object, the surest first. ``boxes``: [1, N, 4]; ``scores``: [1, N, classes]."""
    kinds, best = scores[0].argmax(1), scores[0].max(1)
    found: list[tuple[int, float, np.ndarray]] = []
    for index in np.argsort(-best, kind="stable"):
        if best[index] < SCORE:
            break
        same = [box for kind, _, box in found if kind == kinds[index]]
        if not same or overlap(boxes[0, index], np.stack(same)).max() <= SAME:
            found.append((int(kinds[index]), float(best[index]), boxes[0, index]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path)
    parser.add_argument("picture", type=Path, nargs="?", default=PICTURE)
    arguments = parser.parse_args()
    names = (weights_folder() / "coco.names").read_text("utf-8").split("\n")
    with Image.open(arguments.picture) as image:
        pixels, scale, border = letterboxed(image)
    with torch.no_grad():
        answer = build()(torch.from_numpy(pixels))
    seen = {
        "PyTorch": objects(answer["boxes"].numpy(), answer["scores"].numpy()),
        "package": objects(*run_package(arguments.package, [pixels])),
    }
    for who, found in seen.items():
        print(f"{who}: {len(found)} objects")
        for kind, score, box in found:
            corners = (box - np.array([*border, *border])) / scale
            print(f"  {names[kind]:<14} {score:.2f}  {', '.join(f'{corner:.0f}' for corner in corners)}")
    return int(len(seen["PyTorch"]) != len(seen["package"]))


if __name__ == "__main__":
    sys.exit(main())
