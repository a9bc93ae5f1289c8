import torch
from torch import nn


class Model(nn.Module):
    """A histogram of tokens."""

    def forward(self, x):
        return torch.bincount(x, minlength=8).float() * 0.5

    @staticmethod
    def example_inputs():
        return (torch.randint(0, 8, (32,), generator=torch.Generator().manual_seed(1), dtype=torch.int32),)
