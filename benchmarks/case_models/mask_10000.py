"""A BERT block whose mask is (1 - mask) times -10000."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


LOWEST = -10000.0


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(6)
        self.words = nn.Embedding(400, 48)
        self.query, self.key, self.value = (nn.Linear(48, 48) for _ in range(3))
        self.norm, self.out = nn.LayerNorm(48), nn.Linear(48, 12)
        for layer in (self.query, self.key):
            nn.init.normal_(layer.weight, std=0.3)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        def heads(x: Tensor) -> Tensor:
            return x.view(1, 24, 3, 16).transpose(1, 2)

        x = self.norm(self.words(input_ids))
        bias = (1.0 - attention_mask[:, None, None].float()) * LOWEST
        scores = heads(self.query(x)) @ heads(self.key(x)).transpose(2, 3) / 4 + bias
        seen = (scores.softmax(-1) @ heads(self.value(x))).transpose(1, 2).reshape(1, 24, 48)
        y: Tensor = self.out(self.norm(x + seen))
        return y


def _inputs(words: int, seed: int) -> tuple[Tensor, Tensor]:
    ids = torch.randint(0, 400, (1, 24), generator=torch.Generator().manual_seed(seed))
    return ids, (torch.arange(24) < words).long()[None]


def example() -> tuple[Tensor, Tensor]:
    return _inputs(24, 0)


def others() -> list[tuple[Tensor, Tensor]]:
    return [_inputs(24, 1), _inputs(7, 2), _inputs(1, 3)]


def calibration() -> list[dict[str, Tensor]]:
    return [dict(zip(("input_ids", "attention_mask"), _inputs(1 + step, step + 10), strict=True)) for step in range(24)]
