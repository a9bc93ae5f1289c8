"""Rotary embedding with complex numbers: view_as_complex and a table that is indexed with None."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(12)
        self.query = nn.Linear(48, 48)
        angles = torch.outer(torch.arange(32.0), 10000 ** (-torch.arange(0, 12, 2) / 12))
        self.register_buffer("turns", torch.polar(torch.ones_like(angles), angles), persistent=False)

    def forward(self, states: Tensor) -> Tensor:
        pairs = torch.view_as_complex(self.query(states).view(1, 32, 4, 6, 2))
        return torch.view_as_real(pairs * self.turns[None, :, None]).flatten(3)


def _states(seed: int) -> Tensor:
    return torch.randn(1, 32, 48, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_states(0),)


def others() -> list[tuple[Tensor]]:
    return [(_states(1),)]
