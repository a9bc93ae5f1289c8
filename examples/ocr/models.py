"""PP-OCR text detection and recognition, trained, as the package ``rapidocr`` ships them (ONNX, Apache-2.0).

Their input sizes are open; these example inputs pin them, with text on the bus of ultralytics' picture.
"""

from pathlib import Path

import numpy as np
import ultralytics
from PIL import Image

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
