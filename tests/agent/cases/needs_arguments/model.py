import torch
from torch import nn


class Model(nn.Module):
    """Cannot be built without an argument."""

    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, 2)

    def forward(self, x):
        return self.linear(x)

    @staticmethod
    def example_inputs():
        return (torch.rand(1, 8),)
