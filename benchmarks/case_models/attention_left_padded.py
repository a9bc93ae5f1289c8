"""Causal attention on a batch whose example is padded on the left already."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.joint, self.out = nn.Linear(24, 72), nn.Linear(24, 24)

    def forward(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        query, key, value = (part.view(2, 9, 3, 8).transpose(1, 2) for part in self.joint(states).chunk(3, -1))
        order = torch.arange(9)
        mask = (order[:, None] >= order[None])[None, None] & (attention_mask[:, None, None] > 0)
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(2, 9, 24))


def _inputs(seed: int, padding: int) -> tuple[Tensor, Tensor]:
    mask = torch.ones(2, 9, dtype=torch.int64)
    mask[1, :padding] = 0
    return torch.randn(2, 9, 24, generator=torch.Generator().manual_seed(seed)), mask


def example() -> tuple[Tensor, Tensor]:
    return _inputs(0, 4)


def others() -> list[tuple[Tensor, Tensor]]:
    return [_inputs(1, 0), _inputs(2, 8)]
