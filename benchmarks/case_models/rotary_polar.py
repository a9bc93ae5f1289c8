"""Rotary embedding with a complex product of views, as reference code of language models has it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        angles = torch.outer(torch.arange(32.0), 10000 ** (-torch.arange(0, 12, 2) / 12))
        self.register_buffer("turns", torch.polar(torch.ones_like(angles), angles), persistent=False)

    def forward(self, query: Tensor) -> Tensor:
        pairs = torch.view_as_complex(query.reshape(*query.shape[:-1], -1, 2))
        turned = pairs * self.turns.view(1, 32, 1, 6)
        return torch.view_as_real(turned).flatten(3).type_as(query)


def _query(seed: int) -> Tensor:
    return torch.randn(1, 32, 4, 12, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_query(0),)


def others() -> list[tuple[Tensor]]:
    return [(_query(1),)]
