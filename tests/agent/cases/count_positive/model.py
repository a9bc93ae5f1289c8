import torch
from torch import nn


class Model(nn.Module):
    """Scales by the share of positive values, counted by nonzero."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        return y * float(torch.nonzero(y > 0).shape[0]) / y.numel()

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)),)
