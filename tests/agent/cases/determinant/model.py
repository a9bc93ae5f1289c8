import torch
from torch import nn


class Model(nn.Module):
    """Determinants of 2x2 matrices."""

    def forward(self, x):
        return torch.relu(torch.linalg.det(x)) + x.mean((-1, -2))

    @staticmethod
    def example_inputs():
        return (torch.randn(1, 8, 2, 2, generator=torch.Generator().manual_seed(1)),)
