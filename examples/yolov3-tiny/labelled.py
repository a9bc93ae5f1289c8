"""Photographs that installed packages ship, with boxes drawn by hand: data for ``aipc evaluate --metric map``."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from model import letterboxed
from shared.pictures import paths

PERSON, MOTORCYCLE, BUS, BENCH, CAT, TIE, CUP, SPOON, TABLE = 0, 3, 5, 13, 15, 27, 41, 44, 60
"""Lines of ``coco.names``, from 0."""
Box = tuple[int, int, int, int, int]
BOXES: dict[str, dict[str, list[Box]]] = {
    "ultralytics": {
        "assets/bus.jpg": [
            (BUS, 22, 231, 803, 745),
            (PERSON, 51, 399, 245, 900),
            (PERSON, 230, 405, 343, 858),
            (PERSON, 670, 395, 810, 879),
            (PERSON, 0, 546, 76, 873),
        ],
        "assets/zidane.jpg": [
            (PERSON, 143, 202, 1150, 720),
            (PERSON, 752, 42, 1142, 720),
            (TIE, 445, 436, 500, 720),
            (TIE, 994, 304, 1022, 415),
        ],
    },
    "skimage": {
        "data/astronaut.png": [(PERSON, 20, 15, 365, 512)],
        "data/chelsea.png": [(CAT, 3, 0, 390, 300)],
        "data/coffee.png": [(CUP, 172, 17, 410, 305), (SPOON, 325, 66, 425, 329), (TABLE, 0, 0, 600, 400)],
        "data/motorcycle_left.png": [(MOTORCYCLE, 92, 65, 682, 453), (BENCH, 42, 97, 283, 308)],
    },
    "matplotlib": {
        "mpl-data/sample_data/grace_hopper.jpg": [(PERSON, 13, 22, 512, 600), (TIE, 225, 407, 297, 525)],
    },
}
"""Package -> picture -> class, x1, y1, x2, y2 in pixels of the picture."""
COUNT = 24
LEAST_VISIBLE = 0.25
"""A box of which less is in the part of a picture is no object there."""


def photographs() -> Iterator[tuple[Image.Image, dict[str, np.ndarray]]]:
    """Each picture whole, then random parts of it. Boxes are in pixels of the network's input."""
    # One picture after the other: a package that is not installed takes its own with it.
    known = [(path, boxes) for package in BOXES for path, boxes in of_package(package)]
    draw = random.Random(0)
    for number in range(COUNT):
        path, boxes = known[number % len(known)]
        with Image.open(path) as image:
            picture = image.convert("RGB")
        left = top = 0
        if number >= len(known):
            share = draw.uniform(0.6, 1.0)
            width, height = round(picture.width * share), round(picture.height * share)
            left, top = draw.randint(0, picture.width - width), draw.randint(0, picture.height - height)
            picture = picture.crop((left, top, left + width, top + height))
        yield picture, target(picture, boxes, left, top)


def of_package(package: str) -> Iterator[tuple[Path, list[Box]]]:
    for name, boxes in BOXES[package].items():
        for path in paths({package: [name]}):
            yield path, boxes


def target(picture: Image.Image, boxes: list[Box], left: int, top: int) -> dict[str, np.ndarray]:
    """``boxes`` float32[N, 4] (x1 y1 x2 y2 in pixels of the input) and ``labels`` int64[N] of a part of a picture."""
    _, scale, border = letterboxed(picture)
    shift = np.array([left, top, left, top], np.float32)
    size = np.array([*picture.size, *picture.size], np.float32)
    found, labels = [], []
    for label, *corners in boxes:
        whole = np.array(corners, np.float32)
        part = np.clip(whole - shift, 0, size)
        if area(part) >= LEAST_VISIBLE * area(whole):
            found.append(part * scale + np.array([*border, *border], np.float32))
            labels.append(label)
    return {"boxes": np.array(found, np.float32).reshape(-1, 4), "labels": np.array(labels, np.int64)}


def area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
