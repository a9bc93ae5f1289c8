"""A GRU of one layer as PyTorch makes it, without a first state."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.rnn = nn.GRU(10, 20, batch_first=True)

    def forward(self, frames: Tensor) -> Tensor:
        steps: Tensor = self.rnn(frames)[0]
        return steps


def _frames(seed: int) -> Tensor:
    return torch.randn(1, 7, 10, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_frames(0),)


def others() -> list[tuple[Tensor]]:
    return [(_frames(1),), (_frames(2),)]


def calibration() -> list[Tensor]:
    return [_frames(seed) for seed in range(10, 34)]
