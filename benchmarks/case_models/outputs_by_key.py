"""A dictionary of outputs: named like operators, an input passed on, one tensor twice, a nested tuple."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def forward(self, x: Tensor, scale: Tensor) -> dict[str, object]:
        y = torch.softmax(x, -1)
        return {"Softmax": y, "add": x + scale, "x": x, "same": y, "parts": (y * 3, [torch.relu(x)])}


def _inputs(seed: int) -> tuple[Tensor, Tensor]:
    return torch.randn(3, 6, generator=torch.Generator().manual_seed(seed)), torch.tensor(0.75)


def example() -> tuple[Tensor, Tensor]:
    return _inputs(0)


def others() -> list[tuple[Tensor, Tensor]]:
    return [_inputs(1)]
