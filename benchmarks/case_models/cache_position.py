"""One step of attention with caches that are written at a position, which is an input."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.query, self.key, self.value, self.out = (nn.Linear(24, 24) for _ in range(4))

    def forward(self, token: Tensor, place: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        def heads(x: Tensor) -> Tensor:
            return x.view(1, 1, 3, 8).transpose(1, 2)

        keys, values = keys.clone(), values.clone()
        keys.index_copy_(2, place, heads(self.key(token)))
        values[:, :, place] = heads(self.value(token))
        reached = (torch.arange(48) <= place)[None, None, None]
        seen = F.scaled_dot_product_attention(heads(self.query(token)), keys, values, attn_mask=reached)
        return self.out(seen.transpose(1, 2).reshape(1, 1, 24)), keys, values


def _inputs(place: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    token, keys, values = (torch.randn(*shape, generator=g) for shape in ((1, 1, 24), (1, 3, 48, 8), (1, 3, 48, 8)))
    return token, torch.tensor([place]), keys, values


def example() -> tuple[Tensor, ...]:
    return _inputs(0, 0)


def others() -> list[tuple[Tensor, ...]]:
    return [_inputs(13, 1), _inputs(47, 2)]


def calibration() -> list[dict[str, Tensor]]:
    names = ("token", "place", "keys", "values")
    return [dict(zip(names, _inputs(2 * step, step + 10), strict=True)) for step in range(24)]
