"""A camera frame of bytes, channels last, normalized inside; scores, a picture of bytes and classes come out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(8)
        self.register_buffer("mean", torch.tensor([120.0, 115.0, 105.0]))
        self.register_buffer("deviation", torch.tensor([58.0, 57.0, 56.0]))
        self.stem, self.head = nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Conv2d(8, 5, 1)

    def forward(self, frame: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = ((frame.float() - self.mean) / self.deviation).permute(0, 3, 1, 2)
        y = self.head(torch.relu(self.stem(x)))
        return y, (y.sigmoid() * 255).round().to(torch.uint8), y.argmax(1)


def _frame(seed: int) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, 48, 48, 3), generator=g, dtype=torch.uint8)


def example() -> tuple[Tensor]:
    return (_frame(0),)


def others() -> list[tuple[Tensor]]:
    return [(_frame(1),), (torch.full((1, 48, 48, 3), 255, dtype=torch.uint8),)]


def calibration() -> list[Tensor]:
    return [_frame(seed) for seed in range(10, 34)]
