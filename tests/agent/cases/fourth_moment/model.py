import torch
from torch import nn


class Model(nn.Module):
    """Every operator runs on the NPU, and fourth powers of 60 and more leave the range of fp16."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.full((8,), 1.5))

    def forward(self, x):
        y = x * self.scale
        size = torch.sqrt(torch.sqrt((y * y * y * y).mean(-1, keepdim=True)))
        return y / (size + 1)

    @staticmethod
    def example_inputs():
        return (60 * torch.randn(1, 16, 8, generator=torch.Generator().manual_seed(1)),)
