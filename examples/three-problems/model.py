"""A small tracker with three things that the Snapdragon 8 Gen 3's NPU cannot do as they are written.

``aipc check three-problems`` marks exactly these three expressions; everything else runs on the NPU.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Tracker(nn.Module):
    """``forward``: frames float32[B, 4, 8, 16, 16] and links float32[B, 6, 4, 8] -> float32[B, 8, 18, 18]."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        self.norm = nn.LayerNorm([16, 16])
        self.mix = nn.Conv2d(6 * channels, channels, kernel_size=1)

    def forward(self, frames: Tensor, links: Tensor) -> Tensor:
        # Every one of the six outputs mixes the four frames, each channel with its own weight.
        mixed = torch.einsum("bmchw,bnmc->bnchw", frames, links)
        features = self.mix(mixed.flatten(1, 2))
        features = self.norm(features)  # over height and width: two axes
        # The picture is a panorama: left and right borders meet.
        padded = F.pad(features, (1, 1, 1, 1), mode="circular")
        return torch.relu(padded)
