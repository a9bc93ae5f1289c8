"""Scores to which a mask of 0 and -inf is added, which is an input itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.joint = nn.Linear(16, 48)

    def forward(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        query, key, value = self.joint(states).chunk(3, -1)
        return (query @ key.transpose(1, 2) / 4 + attention_mask).softmax(-1) @ value


def _inputs(seed: int, open_steps: int) -> tuple[Tensor, Tensor]:
    mask = torch.zeros(1, 12, 12)
    mask[..., open_steps:] = -torch.inf
    return torch.randn(1, 12, 16, generator=torch.Generator().manual_seed(seed)), mask


def example() -> tuple[Tensor, Tensor]:
    return _inputs(0, 9)


def others() -> list[tuple[Tensor, Tensor]]:
    causal = torch.full((1, 12, 12), -torch.inf).triu(1)
    return [_inputs(1, 12), _inputs(2, 1), (_inputs(3, 12)[0], causal)]
