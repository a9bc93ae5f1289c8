"""A YOLOv8n with trained weights at 320x320, as the package ``nudenet`` ships it (ONNX, AGPL-3.0).

It was trained to moderate pictures: of its 18 classes it finds faces, feet and arms in the photographs here.
Its input size is open; these example inputs pin it.
"""

from pathlib import Path

import numpy as np
import ultralytics
from PIL import Image

PICTURE = Path(ultralytics.__file__).parent / "assets" / "bus.jpg"
SIZE = 320


def prepared(image: Image.Image) -> np.ndarray:
    """A picture scaled to fit and padded below or to the right, float32[1, 3, 320, 320] in [0, 1]."""
    scale = SIZE / max(image.size)
    canvas = Image.new("RGB", (SIZE, SIZE))
    canvas.paste(image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BILINEAR))
    return (np.asarray(canvas, dtype=np.float32) / 255.0).transpose(2, 0, 1)[None]


def example_inputs() -> tuple[np.ndarray]:
    with Image.open(PICTURE) as image:
        return (prepared(image.convert("RGB")),)
