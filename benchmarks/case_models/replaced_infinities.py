"""nan_to_num: values that are not finite are replaced by others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

RUNS = (("fp16", "sm8650"),)


class Model(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.nan_to_num(x, nan=0.5, posinf=6.0, neginf=-6.0) * 2


def _x(seed: int) -> Tensor:
    return torch.randn(3, 16, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_x(0),)


def others() -> list[tuple[Tensor]]:
    x = _x(1)
    x[0, 2], x[1, 3], x[2, 4] = torch.inf, -torch.inf, torch.nan
    return [(_x(2),), (x,)]
