"""Models that only the benchmarks need: chains of a given number of ONNX nodes."""

import torch
from torch import Tensor, nn


class Ops10(nn.Module):
    """Ten nodes; float32[1, 3, 32, 32] -> float32[1, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, kernel_size=3)
        self.second = nn.Conv2d(8, 8, kernel_size=3, padding=1)
        self.last = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        x = torch.sigmoid(self.second(x)) * torch.tanh(x)
        x = torch.nn.functional.max_pool2d(x, kernel_size=2)
        return torch.softmax(self.last(x.mean(dim=(2, 3))), dim=-1)


class Chain(nn.Module):
    """``length`` elementwise nodes that no optimizer folds; float32[1, 64] -> float32[1, 64]."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def forward(self, x: Tensor) -> Tensor:
        given = x
        for index in range(self.length // 2):
            x = torch.relu(x + given) if index % 2 else torch.tanh(x - given)
        return x


def ops_10() -> nn.Module:
    torch.manual_seed(0)
    return Ops10().eval()


def chain_100() -> nn.Module:
    return Chain(100)


def chain_1000() -> nn.Module:
    return Chain(1_000)


def chain_10000() -> nn.Module:
    return Chain(10_000)
