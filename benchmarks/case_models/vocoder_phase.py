"""A vocoder's source: a phase that is summed up at the rate of the sound, its sine, and a transposed convolution."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(15)
        self.up = nn.ConvTranspose1d(16, 8, 9, stride=4, padding=3, output_padding=1)
        self.source, self.out = nn.Conv1d(2, 8, 5, padding=2), nn.Conv1d(8, 1, 5, padding=2)

    def forward(self, mel: Tensor, pitch: Tensor) -> Tensor:
        x = self.up(F.leaky_relu(mel, 0.1))
        f = F.interpolate(pitch[:, None], size=x.shape[-1], mode="nearest")
        turns = torch.cumsum(f * torch.tensor([1.0, 2.0])[None, :, None] / 2400.0, -1)
        wave = torch.sin(2 * math.pi * turns) * (f > 20)
        return torch.tanh(self.out(torch.relu(x + self.source(wave))))


def _inputs(seed: int) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(1, 16, 80, generator=g), 80 + 240 * torch.rand(1, 80, generator=g)


def example() -> tuple[Tensor, Tensor]:
    return _inputs(0)


def others() -> list[tuple[Tensor, Tensor]]:
    return [_inputs(1)]
