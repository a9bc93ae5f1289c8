"""LPRNet: licence plates read without splitting them into characters.

Written from Zherzdev and Gruzdev, "LPRNet: License Plate Recognition via Deep Neural Networks",
arXiv:1806.10447 (Table 2: small basic block; Table 3: backbone). As in the implementations in wide use,
the pooling layers also stride over channels: they are ``MaxPool3d`` on a tensor with channels as depth.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

CHARACTERS = 68
"""Classes per position, the blank of CTC included."""


class SmallBasicBlock(nn.Module):
    """Table 2: 1x1, 3x1, 1x3 and 1x1 convolutions; a quarter of the output channels inside."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        inner = channels_out // 4
        self.block = nn.Sequential(
            nn.Conv2d(channels_in, inner, kernel_size=1),
            nn.ReLU(),
            nn.Conv2d(inner, inner, kernel_size=(3, 1), padding=(1, 0)),
            nn.ReLU(),
            nn.Conv2d(inner, inner, kernel_size=(1, 3), padding=(0, 1)),
            nn.ReLU(),
            nn.Conv2d(inner, channels_out, kernel_size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class ChannelMaxPool(nn.Module):
    """3x3 max pooling that also strides over channels: channels are the depth of a 3-D pooling."""

    def __init__(self, stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.pool = nn.MaxPool3d(kernel_size=(1, 3, 3), stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        volume = x.unsqueeze(1)
        return self.pool(volume).squeeze(1)


def normalized(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU()]


class LPRNet(nn.Module):
    """``forward``: float32[N, 3, 24, 94] -> float32[N, CHARACTERS, 18] logits per position, for CTC."""

    def __init__(self, classes: int = CHARACTERS) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, kernel_size=3), *normalized(64))
        self.stage1 = nn.Sequential(ChannelMaxPool((1, 1, 1)), SmallBasicBlock(64, 128), *normalized(128))
        self.stage2 = nn.Sequential(
            ChannelMaxPool((2, 1, 2)),
            SmallBasicBlock(64, 256),
            *normalized(256),
            SmallBasicBlock(256, 256),
            *normalized(256),
        )
        self.stage3 = nn.Sequential(
            ChannelMaxPool((4, 1, 2)),
            nn.Dropout(0.5),
            nn.Conv2d(64, 256, kernel_size=(1, 4)),
            *normalized(256),
            nn.Dropout(0.5),
            nn.Conv2d(256, classes, kernel_size=(13, 1)),
            *normalized(classes),
        )
        # Section 3.2: global context of the intermediate feature maps, pooled to the size of the last one.
        self.context_wide = nn.AvgPool2d(kernel_size=5, stride=5)
        self.context_tall = nn.AvgPool2d(kernel_size=(4, 10), stride=(4, 2))
        self.head = nn.Conv2d(64 + 128 + 256 + classes, classes, kernel_size=1)

    def forward(self, plate: Tensor) -> Tensor:
        stem = self.stem(plate)
        stage1 = self.stage1(stem)
        stage2 = self.stage2(stage1)
        last = self.stage3(stage2)
        context = [
            equalized(self.context_wide(stem)),
            equalized(self.context_wide(stage1)),
            equalized(self.context_tall(stage2)),
            equalized(last),
        ]
        logits = self.head(torch.cat(context, dim=1))
        return logits.mean(dim=2)


def equalized(x: Tensor) -> Tensor:
    """Feature maps of different layers at the same scale: divided by their mean square."""
    return x / x.pow(2).mean()


def build() -> LPRNet:
    """LPRNet with seeded weights, its batch statistics settled on noise."""
    torch.manual_seed(0)
    model = LPRNet()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain average over the passes below
    with torch.no_grad():
        for _ in range(4):
            model.train()(torch.randn(8, 3, 24, 94))
    return model.eval()


def prepared(image: Image.Image) -> np.ndarray:
    """A picture at the size of a plate, float32[1, 3, 24, 94], channels blue, green, red in [-1, 1]."""
    pixels = np.asarray(image.resize((94, 24), Image.Resampling.BILINEAR), dtype=np.float32)
    return (pixels[:, :, ::-1] / 127.5 - 1.0).transpose(2, 0, 1)[None]


def same_characters(wanted: Sequence[Mapping[str, np.ndarray]], got: Sequence[Mapping[str, np.ndarray]]) -> float:
    """The share of positions that read the same character: classes are the second axis."""
    pairs = [(next(iter(a.values())), next(iter(b.values()))) for a, b in zip(wanted, got, strict=True)]
    return float(np.mean([a.argmax(1) == b.argmax(1) for a, b in pairs]))
