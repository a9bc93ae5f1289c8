"""Two LSTMs, the second over sequences that are turned around by their lengths, which are an input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a16", "qcs6490"))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(13)
        self.ahead, self.back = (nn.LSTM(16, 20, batch_first=True) for _ in range(2))
        self.out = nn.Linear(40, 8)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        step = torch.arange(25)[None]
        inside = step < lengths[:, None]
        turned = torch.where(inside, lengths[:, None] - 1 - step, step)[..., None]
        ahead, _ = self.ahead(frames)
        back, _ = self.back(frames.gather(1, turned.expand(2, 25, 16)))
        y = self.out(torch.cat([ahead, back.gather(1, turned.expand(2, 25, 20))], -1))
        return y.masked_fill(~inside[..., None], 0.0)


def _inputs(seed: int, *lengths: int) -> tuple[Tensor, Tensor]:
    return torch.randn(2, 25, 16, generator=torch.Generator().manual_seed(seed)), torch.tensor(lengths)


def example() -> tuple[Tensor, Tensor]:
    return _inputs(0, 25, 25)


def others() -> list[tuple[Tensor, Tensor]]:
    return [_inputs(1, 25, 11), _inputs(2, 1, 24)]


def calibration() -> list[dict[str, Tensor]]:
    return [dict(zip(("frames", "lengths"), _inputs(s + 10, 25 - s, 1 + s), strict=True)) for s in range(24)]
