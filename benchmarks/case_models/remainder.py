"""The remainder of integers alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def forward(self, places: Tensor) -> Tensor:
        return places % 91


def example() -> tuple[Tensor]:
    return (torch.arange(0, 20000, 37)[None],)


def others() -> list[tuple[Tensor]]:
    return [(torch.arange(0, 20000, 37)[None] + 11,), (-torch.arange(0, 20000, 37)[None],)]
