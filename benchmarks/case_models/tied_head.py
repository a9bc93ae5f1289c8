"""A language model's head that is its embedding's table transposed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(14)
        self.words, self.layer = nn.Embedding(250, 24), nn.Linear(24, 24)

    def forward(self, input_ids: Tensor) -> Tensor:
        return torch.relu(self.layer(self.words(input_ids))) @ self.words.weight.T


def _ids(seed: int) -> Tensor:
    return torch.randint(0, 250, (1, 10), generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_ids(0),)


def others() -> list[tuple[Tensor]]:
    return [(_ids(1),), (torch.arange(240, 250)[None],)]


def calibration() -> list[Tensor]:
    return [_ids(seed) for seed in range(10, 34)]
