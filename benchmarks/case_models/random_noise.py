"""A sampler that draws noise in forward."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(17)
        self.mean, self.scale, self.out = nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        z = self.mean(x) + 0.7 * torch.randn_like(x) * self.scale(x).exp()
        y: Tensor = self.out(z.tanh())
        return y


def _x(seed: int) -> Tensor:
    return torch.randn(1, 20, 12, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_x(0),)


def others() -> list[tuple[Tensor]]:
    return [(_x(1),)]
