import torch
from torch import nn


class Model(nn.Module):
    """Inverses of 2x2 matrices that are far from singular."""

    def forward(self, x):
        return torch.linalg.inv(0.1 * torch.tanh(x) + torch.eye(2))

    @staticmethod
    def example_inputs():
        return (torch.randn(1, 8, 2, 2, generator=torch.Generator().manual_seed(1)),)
