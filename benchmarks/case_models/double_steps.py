"""Time steps in float64: large numbers whose difference is small, which fp32 does not hold."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        start = torch.full((1, 1), 16777216.0, dtype=torch.float64)
        return ((x.double() + start) - start).float()


def _x(seed: int) -> Tensor:
    return torch.randn(2, 16, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_x(0),)


def others() -> list[tuple[Tensor]]:
    return [(_x(1),)]
