"""A GRU of two layers and both directions with wide weights; its first state is an input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.rnn = nn.GRU(10, 14, num_layers=2, bidirectional=True, batch_first=True)
        for weight in self.rnn.parameters():
            nn.init.uniform_(weight, -0.9, 0.9)

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        steps, last = self.rnn(frames, state)
        return steps, last


def _inputs(seed: int) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(1, 12, 10, generator=g), torch.randn(4, 1, 14, generator=g)


def example() -> tuple[Tensor, Tensor]:
    return _inputs(0)


def others() -> list[tuple[Tensor, ...]]:
    return [_inputs(1), (_inputs(2)[0], torch.zeros(4, 1, 14))]


def calibration() -> list[dict[str, Tensor]]:
    return [dict(zip(("frames", "state"), _inputs(seed), strict=True)) for seed in range(10, 34)]
