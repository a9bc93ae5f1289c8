"""Attention with a boolean mask; the example has no row that is all False, other inputs have."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def _inputs(seed: int, closed: int) -> tuple[Tensor, ...]:
    g = torch.Generator().manual_seed(seed)
    mask = torch.rand(2, 1, 10, 10, generator=g) > 0.4
    mask[..., 0] = True
    if closed:
        mask[0, :, -closed:] = False
    return *(torch.randn(2, 3, 10, 16, generator=g) for _ in range(3)), mask


def example() -> tuple[Tensor, ...]:
    return _inputs(0, 0)


def others() -> list[tuple[Tensor, ...]]:
    return [_inputs(1, 0), _inputs(2, 4), _inputs(3, 10)]
