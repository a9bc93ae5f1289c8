"""PP-OCR text detection and recognition, trained, as the package ``rapidocr`` ships them (ONNX, Apache-2.0).

Their input sizes are open; these example inputs pin them, with text on the bus of ultralytics' picture.
"""

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import ultralytics
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from shared.pictures import CALIBRATION, photographs, pictures

Outputs = Sequence[Mapping[str, np.ndarray]]

PICTURE = Path(ultralytics.__file__).parent / "assets" / "bus.jpg"
FRONT = (170, 170, 810, 810)
"""left, top, right, bottom in the picture: the front of the bus, 640x640 pixels (multiples of 32)"""
LINE = (548, 566, 688, 622)
"""a line of text on it"""
LINE_SIZE = (320, 48)


def scaled(image: Image.Image) -> np.ndarray:
    """float32[1, 3, H, W] in [-1, 1], channels blue, green, red as PaddleOCR trains them."""
    pixels = np.asarray(image, dtype=np.float32)[:, :, ::-1] / 127.5 - 1.0
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def cut(box: tuple[float, float, float, float], size: tuple[int, int] | None = None) -> Image.Image:
    """A part of the picture, scaled to ``size`` (width, height) when given."""
    with Image.open(PICTURE) as image:
        part = image.convert("RGB").crop(box)
    return part.resize(size, Image.Resampling.BILINEAR) if size else part


def padded_line(box: tuple[float, float, float, float]) -> np.ndarray:
    """A line of text at the network's height of 48, zeros to its right, float32[1, 3, 48, 320]."""
    width = min(round((box[2] - box[0]) * LINE_SIZE[1] / (box[3] - box[1])), LINE_SIZE[0])
    text = scaled(cut(box, (width, LINE_SIZE[1])))
    return np.pad(text, ((0, 0), (0, 0), (0, 0), (0, LINE_SIZE[0] - width)))


def page() -> tuple[np.ndarray]:
    """Example input of the detection, float32[1, 3, 640, 640]."""
    return (scaled(cut(FRONT)),)


def line() -> tuple[np.ndarray]:
    """Example input of the recognition, float32[1, 3, 48, 320]."""
    return (padded_line(LINE),)


TEXT = (
    "Madrid cero emisiones EXIT 24 Coffee 3.50 OPEN Bahnhof platform 9 No parking Straße 112 hello world Invoice 2024 "
    "total 1,299.00 taxi airport gate B12 push pull sale -50% café reservation @home www.example.org MADE IN Line 7"
)


def pages() -> Iterator[np.ndarray]:
    """Calibration data of the detection: photographs with words written on them, then four others."""
    for number, picture in enumerate(photographs()):
        draw = random.Random(number)
        page = picture.resize((640, 640), Image.Resampling.BICUBIC)
        for _ in range(draw.randint(2, 8)):
            written(page, draw, (draw.randint(0, 500), draw.randint(0, 600)), draw.randint(14, 60))
        yield scaled(page)


def lines() -> Iterator[np.ndarray]:
    """Calibration data of the recognition: words on parts of photographs; the last is the line on the bus."""
    for number, picture in enumerate(pictures(CALIBRATION, 27)):
        draw = random.Random(number)
        strip = picture.resize((LINE_SIZE[0], LINE_SIZE[0])).crop((0, 0, *LINE_SIZE))
        written(strip, draw, (draw.randint(2, 20), draw.randint(2, 10)), draw.randint(22, 34))
        yield scaled(strip)
    yield padded_line(LINE)


def written(page: Image.Image, draw: random.Random, place: tuple[int, int], size: int) -> None:
    """Write one to three words on a plain or bare ground."""
    text = " ".join(draw.choices(TEXT.split(), k=draw.randint(1, 3)))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    ink = draw.choice(["black", "white", "navy", "crimson"])
    if draw.random() < 0.7:
        pen.rectangle(pen.textbbox(place, text, font=font), fill="white" if ink != "white" else "black")
    pen.text(place, text, fill=ink, font=font)


def same_regions(wanted: Outputs, got: Outputs) -> float:
    """Intersection over union of what both call text, over all samples."""
    pairs = [(next(iter(a.values())) > 0.3, next(iter(b.values())) > 0.3) for a, b in zip(wanted, got, strict=True)]
    union = sum(int((a | b).sum()) for a, b in pairs)
    return sum(int((a & b).sum()) for a, b in pairs) / union if union else 1.0
