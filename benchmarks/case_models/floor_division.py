"""Division with floor and the remainder of signed integers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        distance = second[None] - first[:, None]
        return torch.div(distance, 9, rounding_mode="floor"), distance % 7


def example() -> tuple[Tensor, Tensor]:
    return torch.arange(12), torch.arange(40)


def others() -> list[tuple[Tensor, Tensor]]:
    first, second = example()
    return [(first + 25, second), (first * 2500, second * 900), (first * 200003, second * 100019)]
