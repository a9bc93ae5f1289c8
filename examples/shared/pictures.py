"""Photographs and pages of text that installed packages ship: real data to calibrate with and to test on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

# Package -> pictures in it. The ones for calibration come first, those that are only ever tested on last.
CALIBRATION = {
    "skimage": [
        "data/astronaut.png",
        "data/chelsea.png",
        "data/rocket.jpg",
        "data/motorcycle_left.png",
        "data/ihc.png",
        "data/retina.jpg",
        "data/coins.png",
        "data/camera.png",
        "data/brick.png",
        "data/grass.png",
        "data/page.png",
        "data/color.png",
    ],
    "matplotlib": ["mpl-data/sample_data/grace_hopper.jpg"],
    "sklearn": ["datasets/images/flower.jpg"],
    "ultralytics": ["assets/zidane.jpg"],
}
HELD_OUT = {
    "ultralytics": ["assets/bus.jpg"],
    "skimage": ["data/coffee.png", "data/motorcycle_right.png", "data/text.png"],
    "sklearn": ["datasets/images/china.jpg"],
}


def paths(table: dict[str, list[str]]) -> list[Path]:
    """The pictures that are installed; a package that is missing takes its own with it."""
    found = []
    for package, names in table.items():
        spec = find_spec(package)
        folder = Path(next(iter(spec.submodule_search_locations or ()))) if spec else None
        found += [folder / name for name in names if folder and (folder / name).is_file()]
    return found


def pictures(table: dict[str, list[str]], count: int, seed: int = 0) -> Iterator[Image.Image]:
    """``count`` pictures in RGB: each whole first, then random parts of half to the whole side, mirrored at times."""
    files, draw = paths(table), random.Random(seed)
    for number in range(count):
        with Image.open(files[number % len(files)]) as image:
            picture = image.convert("RGB")
        if number >= len(files):
            share = draw.uniform(0.5, 1.0)
            width, height = round(picture.width * share), round(picture.height * share)
            left, top = draw.randint(0, picture.width - width), draw.randint(0, picture.height - height)
            picture = picture.crop((left, top, left + width, top + height))
            if draw.random() < 0.5:
                picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        yield picture


CALIBRATION_COUNT, HELD_OUT_COUNT = 24, 4


def photographs() -> Iterator[Image.Image]:
    """Calibration data: 24 pictures to calibrate with, then 4 of other scenes, which are held out."""
    yield from pictures(CALIBRATION, CALIBRATION_COUNT)
    yield from pictures(HELD_OUT, HELD_OUT_COUNT)
