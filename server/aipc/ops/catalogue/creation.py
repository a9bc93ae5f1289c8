"""Tensors made from sizes and numbers, in a graph that uses an input beside them, and random ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ._case import IMAGE, Case, case, within, x

_MADE: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("torch.zeros", lambda a: a + torch.zeros(a.shape)),
    ("torch.ones", lambda a: a + torch.ones(a.shape)),
    ("torch.full", lambda a: a + torch.full(a.shape, 0.5)),
    ("torch.empty", lambda a: a + torch.empty(a.shape).fill_(0.5)),
    ("torch.zeros_like", lambda a: a + torch.zeros_like(a)),
    ("torch.ones_like", lambda a: a + torch.ones_like(a)),
    ("torch.full_like", lambda a: a + torch.full_like(a, 0.5)),
    ("torch.empty_like", lambda a: a + torch.empty_like(a).fill_(0.5)),
    ("T.new_zeros", lambda a: a + a.new_zeros(a.shape)),
    ("T.new_ones", lambda a: a + a.new_ones(a.shape)),
    ("T.new_full", lambda a: a + a.new_full(a.shape, 0.5)),
    ("T.new_empty", lambda a: a + a.new_empty(a.shape).fill_(0.5)),
    ("T.new_tensor", lambda a: a + a.new_tensor([0.5])),
    ("T.zero_", lambda a: a + torch.empty(a.shape).zero_()),
    ("torch.arange", lambda a: a + torch.arange(12)),
    ("torch.linspace", lambda a: a + torch.linspace(-1, 1, 12)),
    ("torch.logspace", lambda a: a + torch.logspace(-1, 1, 12)),
    ("torch.eye", lambda a: a @ torch.eye(12)),
    ("torch.tensor torch.as_tensor", lambda a: a + torch.tensor([0.5, 1.5]).sum()),
    ("torch.scalar_tensor", lambda a: a + torch.scalar_tensor(0.5)),
    ("torch.hann_window", lambda a: a * torch.hann_window(12)),
    ("torch.hamming_window", lambda a: a * torch.hamming_window(12)),
    ("torch.blackman_window", lambda a: a * torch.blackman_window(12)),
    ("torch.bartlett_window", lambda a: a * torch.bartlett_window(12)),
    ("torch.kaiser_window", lambda a: a * torch.kaiser_window(12)),
    ("torch.tril_indices", lambda a: a.flatten()[torch.tril_indices(4, 4)[0]]),
    ("torch.empty_strided", lambda a: a + torch.empty_strided((12,), (1,)).fill_(0.5)),
)
_RANDOM: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("torch.rand", lambda a: a + torch.rand(12)),
    ("torch.randn", lambda a: a + torch.randn(12)),
    ("torch.randint", lambda a: a + torch.randint(0, 5, (12,))),
    ("torch.randperm", lambda a: a + torch.randperm(12)),
    ("torch.rand_like", lambda a: a + torch.rand_like(a)),
    ("torch.randn_like", lambda a: a + torch.randn_like(a)),
    ("torch.randint_like", lambda a: a + torch.randint_like(a, 0, 5)),
    ("torch.normal", lambda a: torch.normal(a, 1.0)),
    ("T.normal_", lambda a: a + torch.empty(12).normal_()),
    ("T.uniform_", lambda a: a + torch.empty(12).uniform_()),
)


def cases() -> Iterator[Case]:
    for names, function in _MADE:
        yield case(names, function, x(*IMAGE))
    for names, function in _RANDOM:
        yield case(names, function, x(*IMAGE), random=True)
    yield case("torch.bernoulli T.bernoulli", torch.bernoulli, within(0, 1, *IMAGE), random=True)
    yield case(
        "torch.multinomial T.multinomial",
        lambda a: torch.multinomial(a, 3),
        within(0.1, 1, 2, 12),
        random=True,
        replacement=False,
    )
    yield case(
        "torch.multinomial T.multinomial",
        lambda a: torch.multinomial(a, 3, replacement=True),
        within(0.1, 1, 2, 12),
        random=True,
        replacement=True,
    )
    yield case(
        "F.dropout nn.Dropout torch.dropout",
        lambda a: F.dropout(a, 0.5, training=True),
        x(*IMAGE),
        random=True,
        training=True,
    )
    yield case("torch.feature_dropout", lambda a: torch.feature_dropout(a, 0.5, False), x(*IMAGE))
    yield case(
        "torch.fake_quantize_per_tensor_affine",
        lambda a: torch.fake_quantize_per_tensor_affine(a, 0.05, 0, -128, 127),
        x(*IMAGE),
    )
    yield case(
        "torch.fake_quantize_per_channel_affine",
        lambda a: torch.fake_quantize_per_channel_affine(a, torch.full((6,), 0.05), torch.zeros(6), 1, -128, 127),
        x(*IMAGE),
    )
    yield case("nn.Parameter", lambda a: a + nn.Parameter(torch.ones(12)), x(*IMAGE))
