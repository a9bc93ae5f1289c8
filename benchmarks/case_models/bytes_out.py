"""A matting head: floats in, a picture of bytes out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(9)
        self.stem, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        return (self.head(torch.relu(self.stem(image))).sigmoid() * 255).round().to(torch.uint8)


def _image(seed: int) -> Tensor:
    return torch.randn(1, 3, 40, 40, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_image(0),)


def others() -> list[tuple[Tensor]]:
    return [(_image(1),), (_image(2),)]


def calibration() -> list[Tensor]:
    return [_image(seed) for seed in range(10, 34)]
