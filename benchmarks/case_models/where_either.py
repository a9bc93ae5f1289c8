"""where() between two tensors, by a length."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.layer = nn.Linear(12, 12)

    def forward(self, frames: Tensor, length: Tensor) -> Tensor:
        y = self.layer(frames)
        kept = torch.arange(14)[None, :, None] < length[:, None, None]
        return torch.where(kept, y, frames) * 2


def _inputs(seed: int, length: int) -> tuple[Tensor, Tensor]:
    return torch.randn(1, 14, 12, generator=torch.Generator().manual_seed(seed)), torch.tensor([length])


def example() -> tuple[Tensor, Tensor]:
    return _inputs(0, 14)


def others() -> list[tuple[Tensor, Tensor]]:
    return [_inputs(1, 5), _inputs(2, 1)]


def calibration() -> list[dict[str, Tensor]]:
    return [dict(zip(("frames", "length"), _inputs(step + 10, 1 + step % 14), strict=True)) for step in range(24)]
