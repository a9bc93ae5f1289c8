"""One layer with one channel in the hundreds: what that does to 8-bit activations, and which line is to blame.

    aipc deploy outlier-channel --precision auto

A tensor has one scale. In the second layer here, channel 3 sets it, and the other fifteen are left a step or two of the
256. Nothing of that shows in the layer's own SQNR, which the large channel dominates; it shows one layer later, where
nothing is wrong.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CHANNELS = 16
OUTLIER = 3


class Outlier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, CHANNELS, 3, padding=1)
        self.energy = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.mix = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.refine = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.head = nn.Conv2d(CHANNELS, 8, 1)
        with torch.no_grad():
            for layer in (self.stem, self.energy, self.mix, self.refine, self.head):
                nn.init.kaiming_normal_(layer.weight)
            self.energy.weight[OUTLIER] *= 400.0
            # Trained networks learn not to listen to such a channel.
            self.mix.weight[:, OUTLIER] = 0.0

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.stem(image))
        x = F.relu(self.energy(x))
        x = F.relu(self.mix(x))
        x = F.relu(self.refine(x))
        return self.head(x)


def example_inputs() -> tuple[Tensor, ...]:
    return (picture(0),)


def samples(count: int = 24) -> list[tuple[Tensor, ...]]:
    """What the network usually sees: smooth pictures with some noise, another one each time."""
    return [(picture(seed),) for seed in range(1, count + 1)]


def picture(seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 4, 4, generator=draw)
    smooth = F.interpolate(coarse, size=(32, 32), mode="bicubic", align_corners=False)
    return (smooth + 0.1 * torch.randn(1, 3, 32, 32, generator=draw)).clamp(0, 1)
