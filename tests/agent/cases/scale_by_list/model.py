import torch
from torch import nn


class Model(nn.Module):
    """Turns two values into Python numbers."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        low, high = (2 * x[0, 0, 0, :2] + 1).tolist()
        y = self.conv(x)
        return torch.cat([y[..., :4] * low, y[..., 4:] * high], dim=-1)

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)),)
