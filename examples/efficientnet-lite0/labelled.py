"""Photographs that installed packages ship, with their ImageNet classes, given by hand: data for ``aipc evaluate``."""

import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from shared.pictures import pictures

TABLE = {
    "skimage": ["data/chelsea.png", "data/coffee.png", "data/rocket.jpg", "data/motorcycle_left.png"],
    "matplotlib": ["mpl-data/sample_data/grace_hopper.jpg"],
    "ultralytics": ["assets/bus.jpg", "assets/zidane.jpg"],
    "sklearn": ["datasets/images/china.jpg"],
}
CLASSES = (285, 967, 657, 670, 652, 874, 834, 832)
"""Egyptian cat, espresso, missile, motor scooter, military uniform, trolleybus, suit, stupa: the nearest of 1000.

Parts of a picture often show something else: PyTorch itself is right for a third of them."""
COUNT = 32


def photographs() -> Iterator[tuple[Image.Image, int]]:
    """Each picture whole, then random parts of it."""
    for number, picture in enumerate(pictures(TABLE, COUNT)):
        yield picture, CLASSES[number % len(CLASSES)]
