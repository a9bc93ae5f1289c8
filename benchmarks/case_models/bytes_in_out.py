"""Bytes in and bytes out, channels last on both sides, cut off without rounding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(10)
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, frame: Tensor) -> Tensor:
        x = frame.permute(0, 3, 1, 2).float() / 255
        y = self.second(torch.relu(self.first(x))).clamp(0, 1)
        return (y * 255).to(torch.uint8).permute(0, 2, 3, 1)


def _frame(seed: int) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, 40, 40, 3), generator=g, dtype=torch.uint8)


def example() -> tuple[Tensor]:
    return (_frame(0),)


def others() -> list[tuple[Tensor]]:
    return [(_frame(1),), (torch.zeros(1, 40, 40, 3, dtype=torch.uint8),)]


def calibration() -> list[Tensor]:
    return [_frame(seed) for seed in range(10, 34)]
