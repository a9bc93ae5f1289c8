"""Buckets of relative positions as in T5, with blocks and remainders of signed distances."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(18)
        self.bias = nn.Embedding(24, 3)

    def forward(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        distance = keys[None] - queries[:, None]
        side, length = 12 * (distance > 0).long(), distance.abs()
        far = 6 + (torch.log(length.clamp(min=1).float() / 6) / math.log(16) * 6).long()
        bucket = side + torch.where(length < 6, length, far.clamp(max=11))
        return self.bias(bucket).permute(2, 0, 1), torch.div(distance, 9, rounding_mode="floor"), distance % 7


def example() -> tuple[Tensor, Tensor]:
    return torch.arange(12), torch.arange(40)


def others() -> list[tuple[Tensor, Tensor]]:
    queries, keys = example()
    return [(queries + 25, keys), (queries + 4000, keys + 3985), (queries * 2500, keys * 900)]
