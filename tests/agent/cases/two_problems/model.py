import torch
from torch import nn


class Model(nn.Module):
    """Prints while it computes, and writes where a mask is set: one problem behind the other."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        y = self.conv(x).clone()
        print(f"mean {y.mean():.3f}")
        y[y < 0] = 0.5
        return y

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)),)
