"""Max, average, adaptive and other pooling."""

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
        yield from _max(n, shape)
        yield from _average(n, shape)
        yield from _adaptive(n, shape)
    yield from _others()


def _max(n: int, shape: tuple[int, ...]) -> Iterator[Case]:
    pool: Callable[..., Any] = getattr(nn, f"MaxPool{n}d")
    names = f"nn.MaxPool{n}d F.max_pool{n}d torch.max_pool{n}d"
    for kernel, stride in ((2, 2), (3, 1), (3, 2)):
        yield layer(names, lambda k=kernel, s=stride: pool(k, s), x(*shape), kernel_size=kernel, stride=stride)
    yield layer(names, lambda: pool(3, 2, padding=1), x(*shape), kernel_size=3, stride=2, padding=1)
    yield layer(names, lambda: pool(3, 1, dilation=2), x(*shape), kernel_size=3, stride=1, dilation=2)
    yield layer(names, lambda: pool(3, 2, ceil_mode=True), x(*shape), kernel_size=3, stride=2, ceil_mode=True)
    yield layer(names, lambda: pool(2, 2), x(*shape[1:]), kernel_size=2, stride=2, rank=n + 1, label="without batch")
    yield layer(
        f"{names} F.max_pool{n}d_with_indices",
        lambda: pool(2, 2, return_indices=True),
        x(*shape),
        kernel_size=2,
        return_indices=True,
    )
    if n == 2:
        yield layer(names, lambda: pool((1, 3), (1, 2)), x(*shape), kernel_size=(1, 3), stride=(1, 2))
        yield layer(names, lambda: pool(5, 1, 2), x(*shape), kernel_size=5, stride=1, padding=2)
        yield layer(names, lambda: pool((12, 20)), x(*shape), kernel_size="whole image")
    if n == 3:
        # LPRNet's.
        yield layer(
            names, lambda: pool((1, 3, 3), (2, 1, 2)), x(1, 8, 12, 20), kernel_size=(1, 3, 3), stride=(2, 1, 2), rank=4
        )
        yield layer(names, lambda: pool((1, 3, 3), (1, 1, 1)), x(1, 8, 12, 20), kernel_size=(1, 3, 3), stride=1, rank=4)


def _average(n: int, shape: tuple[int, ...]) -> Iterator[Case]:
    pool: Callable[..., Any] = getattr(nn, f"AvgPool{n}d")
    names = f"nn.AvgPool{n}d F.avg_pool{n}d"
    for kernel, stride in ((2, 2), (3, 1), (3, 2)):
        yield layer(names, lambda k=kernel, s=stride: pool(k, s), x(*shape), kernel_size=kernel, stride=stride)
    for include in (True, False):
        yield layer(
            names,
            lambda i=include: pool(3, 2, padding=1, count_include_pad=i),
            x(*shape),
            kernel_size=3,
            stride=2,
            padding=1,
            count_include_pad=include,
        )
    yield layer(names, lambda: pool(3, 2, ceil_mode=True), x(*shape), kernel_size=3, stride=2, ceil_mode=True)
    if n == 2:
        yield layer(names, lambda: pool((12, 20)), x(*shape), kernel_size="whole image")
        yield layer(names, lambda: pool(2, divisor_override=3), x(*shape), kernel_size=2, divisor_override=3)


def _adaptive(n: int, shape: tuple[int, ...]) -> Iterator[Case]:
    for kind, pool in (("avg", getattr(nn, f"AdaptiveAvgPool{n}d")), ("max", getattr(nn, f"AdaptiveMaxPool{n}d"))):
        names = f"nn.{pool.__name__} F.adaptive_{kind}_pool{n}d"
        # Half of the size divides it; 3 does not divide 20 or 8.
        for size in (1, "half", 3):
            out = tuple(s // 2 for s in shape[2:]) if size == "half" else (size,) * n
            yield layer(names, lambda p=pool, o=out: p(o[0] if len(o) == 1 else o), x(*shape), output_size=size)


def _others() -> Iterator[Case]:
    for p in (1, 2, 3):
        yield layer("nn.LPPool2d F.lp_pool2d", lambda p=p: nn.LPPool2d(p, 2), x(*_SHAPES[2]), norm_type=p)
    yield layer("nn.LPPool1d F.lp_pool1d", lambda: nn.LPPool1d(2, 2), x(*_SHAPES[1]))
    yield case(
        "nn.MaxUnpool2d F.max_unpool2d",
        lambda a: F.max_unpool2d(*F.max_pool2d(a, 2, return_indices=True), [2, 2]),
        x(*_SHAPES[2]),
    )
    yield layer(
        "nn.FractionalMaxPool2d F.fractional_max_pool2d",
        lambda: nn.FractionalMaxPool2d(2, output_ratio=0.5),
        x(*_SHAPES[2]),
        random=True,
    )
    yield case(
        "torch.amax T.amax", lambda a: torch.amax(a, (2, 3), keepdim=True), x(*_SHAPES[2]), label="global pooling"
    )
