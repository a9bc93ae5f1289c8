import torch
from torch import nn


class Model(nn.Module):
    """Cholesky factors of 2x2 matrices."""

    def forward(self, x):
        return torch.linalg.cholesky(x @ x.transpose(-1, -2) + torch.eye(2))

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 8, 2, 2, generator=torch.Generator().manual_seed(1)),)
