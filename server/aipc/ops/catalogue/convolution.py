"""Convolutions and transposed convolutions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ._case import Case, case, layer, x

_SHAPES = {1: (1, 6, 20), 2: (1, 6, 12, 20), 3: (1, 4, 6, 8, 10)}


def cases() -> Iterator[Case]:
    for n, shape in _SHAPES.items():
        yield from _plain(n, shape)
        yield from _transposed(n, shape)
    yield from _activations()
    yield from _others()


def _plain(n: int, shape: tuple[int, ...]) -> Iterator[Case]:
    conv: Callable[..., nn.Module] = getattr(nn, f"Conv{n}d")
    names = f"nn.Conv{n}d F.conv{n}d torch.conv{n}d"
    c = shape[1]
    yield layer(names, lambda: conv(c, 8, 1), x(*shape), kernel_size=1)
    yield layer(names, lambda: conv(c, 8, 3, padding=1), x(*shape), kernel_size=3, padding=1)
    yield layer(names, lambda: conv(c, 8, 3, stride=2), x(*shape), kernel_size=3, stride=2)
    yield layer(names, lambda: conv(c, 8, 3, dilation=2), x(*shape), kernel_size=3, dilation=2)
    yield layer(names, lambda: conv(c, 8, 3, bias=False), x(*shape), kernel_size=3, bias=False)
    yield layer(names, lambda: conv(c, c, 3, groups=c, padding=1), x(*shape), kernel_size=3, groups="channels")
    yield layer(names, lambda: conv(c, 8, 3, groups=2), x(*shape), kernel_size=3, groups=2)
    yield layer(names, lambda: conv(c, 8, 3, padding="same"), x(*shape), kernel_size=3, padding="same")
    yield layer(names, lambda: conv(c, 8, 5, padding="valid"), x(*shape), kernel_size=5, padding="valid")
    for mode in ("reflect", "replicate", "circular"):
        yield layer(
            names,
            lambda m=mode: conv(c, 8, 3, padding=1, padding_mode=m),
            x(*shape),
            kernel_size=3,
            padding=1,
            padding_mode=mode,
        )
    yield layer(names, lambda: conv(c, 8, 3), x(*shape[1:]), kernel_size=3, rank=n + 1, label="without batch")
    yield layer(names, lambda: conv(c, 8, 3), x(2, *shape[1:]), kernel_size=3, label="batch of 2")
    if n == 2:
        yield layer(names, lambda: conv(c, 8, (1, 7), padding=(0, 3)), x(*shape), kernel_size=(1, 7))
        yield layer(names, lambda: conv(c, 8, 7, stride=2, padding=3), x(*shape), kernel_size=7, stride=2, padding=3)
        yield layer(
            names,
            lambda: conv(c, c, 3, groups=c, dilation=2, padding=2),
            x(*shape),
            kernel_size=3,
            groups="channels",
            dilation=2,
        )
    yield case(names, lambda a, w: getattr(F, f"conv{n}d")(a, w), x(*shape), x(8, c, *(3,) * n), weight="computed")


def _transposed(n: int, shape: tuple[int, ...]) -> Iterator[Case]:
    conv: Callable[..., nn.Module] = getattr(nn, f"ConvTranspose{n}d")
    names = f"nn.ConvTranspose{n}d F.conv_transpose{n}d torch.conv_transpose{n}d"
    c = shape[1]
    yield layer(names, lambda: conv(c, 8, 2, stride=2), x(*shape), kernel_size=2, stride=2)
    yield layer(
        names,
        lambda: conv(c, 8, 3, stride=2, padding=1, output_padding=1),
        x(*shape),
        kernel_size=3,
        stride=2,
        output_padding=1,
    )
    yield layer(names, lambda: conv(c, 8, 4, stride=2, padding=1), x(*shape), kernel_size=4, stride=2, padding=1)
    yield layer(names, lambda: conv(c, 8, 3, dilation=2), x(*shape), kernel_size=3, dilation=2)
    yield layer(names, lambda: conv(c, c, 3, groups=c), x(*shape), kernel_size=3, groups="channels")
    yield layer(names, lambda: conv(c, 8, 3, groups=2), x(*shape), kernel_size=3, groups=2)


def _activations() -> Iterator[Case]:
    followers: dict[str, Callable[[torch.Tensor], Any]] = {
        "relu": F.relu,
        "relu6": F.relu6,
        "silu": F.silu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "hardswish": F.hardswish,
        "gelu": F.gelu,
        "softplus": F.softplus,
        "leaky_relu": F.leaky_relu,
    }
    for name, function in followers.items():
        yield layer(f"pattern.conv_{name}", lambda f=function: _Then(nn.Conv2d(6, 8, 3), f), x(1, 6, 12, 20))
    yield layer(
        "pattern.conv_batch_norm", lambda: nn.Sequential(nn.Conv2d(6, 8, 3), nn.BatchNorm2d(8)), x(1, 6, 12, 20)
    )


class _Then(nn.Module):
    def __init__(self, first: nn.Module, function: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.first = first
        self.function = function

    def forward(self, a: torch.Tensor) -> Any:
        return self.function(self.first(a))


def _others() -> Iterator[Case]:
    yield case("F.unfold nn.Unfold", lambda a: F.unfold(a, 3, padding=1), x(1, 6, 10, 12))
    yield case("F.unfold nn.Unfold", lambda a: F.unfold(a, 2, stride=2), x(1, 6, 10, 12), stride=2)
    yield case("F.fold nn.Fold", lambda a: F.fold(a, (10, 12), 2, stride=2), x(1, 24, 30), stride=2)
    yield case("F.fold nn.Fold", lambda a: F.fold(a, (10, 12), 3, padding=1), x(1, 54, 120), padding=1)
    yield case("torch.conv_tbc", lambda a, w, b: torch.conv_tbc(a, w, b, 1), x(12, 1, 6), x(3, 6, 8), x(8))
