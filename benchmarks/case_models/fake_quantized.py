"""Fake quantization with scales of its own between convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a8", "qcs6490"))


def _fake(low: float, high: float) -> nn.Module:
    scale = (high - low) / 255
    return Rounded(scale, round(-low / scale))


class Rounded(nn.Module):
    def __init__(self, scale: float, zero_point: int) -> None:
        super().__init__()
        self.scale, self.zero_point = scale, zero_point

    def forward(self, x: Tensor) -> Tensor:
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero_point, 0, 255)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(20)
        self.outer, self.inner, self.last = _fake(-3, 3), _fake(0, 1.6), _fake(-1.2, 1.2)
        self.first, self.second = nn.Conv2d(3, 12, 3, padding=1), nn.Conv2d(12, 5, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.inner(torch.relu(self.first(self.outer(image))))
        y: Tensor = self.last(self.second(x))
        return y


def _image(seed: int) -> Tensor:
    return torch.randn(1, 3, 20, 20, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_image(0),)


def others() -> list[tuple[Tensor]]:
    return [(_image(1),)]


def calibration() -> list[Tensor]:
    return [_image(seed) for seed in range(10, 34)]
