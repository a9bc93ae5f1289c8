import torch
from torch import nn


class Model(nn.Module):
    """Leaves PyTorch for NumPy in the middle of forward."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        y = self.conv(x)
        mean = torch.from_numpy(y.numpy().mean(axis=(2, 3)))
        return y - mean[:, :, None, None]

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)),)
