"""A network that PyTorch's own prepare_qat made and that was trained with it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.ao import quantization

RUNS = (("fp16", "sm8650"), ("w8a8", "sm8650"), ("w8a8", "qcs6490"))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(21)
        self.enter, self.leave = quantization.QuantStub(), quantization.DeQuantStub()
        self.first, self.relu, self.second = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 1)

    def forward(self, image: Tensor) -> Tensor:
        y: Tensor = self.leave(self.second(self.relu(self.first(self.enter(image)))))
        return y


def build() -> nn.Module:
    net = Net().train()
    net.qconfig = quantization.get_default_qat_qconfig("qnnpack")
    net = quantization.prepare_qat(net)
    for seed in range(40, 48):
        net(_image(seed))
    net.apply(quantization.disable_observer)
    return net.eval()


def _image(seed: int) -> Tensor:
    return torch.randn(1, 3, 20, 20, generator=torch.Generator().manual_seed(seed))


def example() -> tuple[Tensor]:
    return (_image(0),)


def others() -> list[tuple[Tensor]]:
    return [(_image(1),)]


def calibration() -> list[Tensor]:
    return [_image(seed) for seed in range(10, 34)]
