"""Models that deploy: one at once, one that takes a while, one that fp16 is too coarse for, one for it late."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.head = nn.Linear(8, 10)

    def forward(self, image: Tensor) -> Tensor:
        features = torch.relu(self.stem(image))
        return self.head(features.mean((2, 3)))


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(3 if i == 0 else 48, 48, 3, padding=1) for i in range(40))

    def forward(self, image: Tensor) -> Tensor:
        for layer in self.layers:
            image = F.relu(layer(image))
        return image


class Wrong(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return torch.tan(image * 40)


class Late(nn.Module):
    """Right on the positions of its example, and beyond what fp16 holds at the end of its table."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5000, 16)

    def forward(self, position: Tensor) -> Tensor:
        angle = position.float()[:, None] * torch.linspace(0.1, 1.0, 16)
        return self.table(position) + torch.sin(angle)

    def example_inputs(self) -> tuple[Tensor]:
        return (torch.arange(8),)
