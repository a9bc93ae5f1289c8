"""A head in float64: exponentials times anchors from NumPy."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(11)
        self.layer = nn.Linear(12, 12)
        self.register_buffer("anchors", torch.from_numpy(np.linspace(0.2, 8.3, 12)))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x).double().exp() * self.anchors


def _x(seed: int) -> Tensor:
    return torch.randn(3, 12, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_x(0),)


def others() -> list[tuple[Tensor]]:
    return [(_x(1),)]
