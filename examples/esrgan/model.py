"""ESRGAN's generator, RRDBNet: a picture enlarged four times.

Written from Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks",
arXiv:1809.00219 (Figures 3 and 4): residual-in-residual dense blocks, no batch normalization,
residuals scaled by 0.2, nearest-neighbour enlargement followed by a convolution.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RESIDUAL_SCALE = 0.2


class DenseBlock(nn.Module):
    """Five convolutions, each reading the outputs of all before it."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.grow = nn.ModuleList(
            nn.Conv2d(features + index * growth, growth, kernel_size=3, padding=1) for index in range(4)
        )
        self.fuse = nn.Conv2d(features + 4 * growth, features, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        seen = [x]
        for convolution in self.grow:
            seen.append(F.leaky_relu(convolution(torch.cat(seen, dim=1)), negative_slope=0.2))
        return x + RESIDUAL_SCALE * self.fuse(torch.cat(seen, dim=1))


class ResidualInResidual(nn.Module):
    """Three dense blocks and a residual around them."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(features, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        return x + RESIDUAL_SCALE * self.blocks(x)


class RRDBNet(nn.Module):
    """``forward``: float32[N, 3, H, W] -> float32[N, 3, 4H, 4W]."""

    def __init__(self, blocks: int = 23, features: int = 64, growth: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, features, kernel_size=3, padding=1)
        self.trunk = nn.Sequential(*(ResidualInResidual(features, growth) for _ in range(blocks)))
        self.trunk_end = nn.Conv2d(features, features, kernel_size=3, padding=1)
        self.enlarge = nn.ModuleList(nn.Conv2d(features, features, kernel_size=3, padding=1) for _ in range(2))
        self.refine = nn.Conv2d(features, features, kernel_size=3, padding=1)
        self.last = nn.Conv2d(features, 3, kernel_size=3, padding=1)

    def forward(self, low_resolution: Tensor) -> Tensor:
        first = self.first(low_resolution)
        x = first + self.trunk_end(self.trunk(first))
        for convolution in self.enlarge:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            x = F.leaky_relu(convolution(x), negative_slope=0.2)
        return self.last(F.leaky_relu(self.refine(x), negative_slope=0.2))


def build(blocks: int = 23) -> RRDBNet:
    """The network of the paper with seeded weights."""
    torch.manual_seed(0)
    return RRDBNet(blocks).eval()


def build_small() -> RRDBNet:
    """Three blocks instead of 23: the same operators, a tenth of the time."""
    return build(blocks=3)
