"""Attention in its forms, transformer layers and recurrent networks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ._case import Case, Input, case, layer, mask, x

_HEADS: tuple[int, ...] = (1, 4, 10, 16)


def cases() -> Iterator[Case]:
    yield from _scaled_dot_product()
    yield from _layers()
    yield from _recurrent()


def _three(*shape: int) -> tuple[Input, Input, Input]:
    return (x(*shape, reach=3.0), x(*shape, reach=3.0), x(*shape, reach=3.0))


def _scaled_dot_product() -> Iterator[Case]:
    name = "F.scaled_dot_product_attention"
    yield case(name, F.scaled_dot_product_attention, *_three(*_HEADS), rank=4)
    yield case(name, F.scaled_dot_product_attention, *_three(4, 10, 16), rank=3)
    yield case(name, F.scaled_dot_product_attention, *_three(1, 2, 4, 10, 16), rank=5)
    yield case(
        name, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), *_three(*_HEADS), is_causal=True
    )
    yield case(
        name, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=0.5), *_three(*_HEADS), scale="number"
    )
    yield case(
        name,
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m),
        *_three(*_HEADS),
        x(1, 1, 10, 10),
        attn_mask="float",
    )
    yield case(
        name,
        lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, attn_mask=m),
        *_three(*_HEADS),
        mask(1, 1, 10, 10),
        attn_mask="bool",
    )
    yield case(
        name,
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True),
        x(*_HEADS, reach=3.0),
        x(1, 2, 10, 16, reach=3.0),
        x(1, 2, 10, 16, reach=3.0),
        enable_gqa=True,
    )
    yield case(name, F.scaled_dot_product_attention, *_three(1, 8, 128, 64), label="128 tokens")
    yield case(
        "pattern.attention_written_out",
        lambda q, k, v: torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(16), -1) @ v,
        *_three(*_HEADS),
    )
    yield case(
        "pattern.attention_einsum",
        lambda q, k, v: torch.einsum("bhqk,bkhd->bqhd", torch.einsum("bqhd,bkhd->bhqk", q, k).softmax(-1), v),
        *_three(1, 10, 4, 16),
    )
    yield case(
        "pattern.causal_mask",
        lambda a: a.masked_fill(torch.ones(10, 10).tril() == 0, float("-inf")).softmax(-1),
        x(1, 4, 10, 10),
    )
    yield case(
        "pattern.linear_attention",
        lambda q, k, v: (F.elu(q) + 1) @ ((F.elu(k) + 1).transpose(-1, -2) @ v),
        *_three(*_HEADS),
    )


def _layers() -> Iterator[Case]:
    yield layer(
        "nn.MultiheadAttention F.multi_head_attention_forward",
        lambda: _SelfAttention(True),
        x(1, 10, 32),
        batch_first=True,
    )
    yield layer(
        "nn.MultiheadAttention F.multi_head_attention_forward",
        lambda: _SelfAttention(False),
        x(10, 1, 32),
        batch_first=False,
    )
    for first in (False, True):
        yield layer(
            "nn.TransformerEncoderLayer",
            lambda f=first: nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=f),
            x(1, 10, 32),
            norm_first=first,
        )
    yield layer(
        "nn.TransformerDecoderLayer",
        lambda: nn.TransformerDecoderLayer(32, 4, 64, batch_first=True),
        x(1, 10, 32),
        x(1, 6, 32),
    )


class _SelfAttention(nn.Module):
    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(32, 4, batch_first=batch_first)

    def forward(self, a: torch.Tensor) -> Any:
        return self.attention(a, a, a, need_weights=False)[0]


def _recurrent() -> Iterator[Case]:
    for name in ("LSTM", "GRU", "RNN"):
        build = getattr(nn, name)
        for both_ways in (False, True):
            yield layer(
                f"nn.{name}",
                lambda b=build, d=both_ways: b(8, 16, batch_first=True, bidirectional=d),
                x(1, 10, 8),
                bidirectional=both_ways,
                num_layers=1,
            )
        yield layer(f"nn.{name}", lambda b=build: b(8, 16, num_layers=2, batch_first=True), x(1, 10, 8), num_layers=2)
        yield layer(f"nn.{name}", lambda b=build: b(8, 16), x(10, 1, 8), batch_first=False, num_layers=1)
        cell = getattr(nn, f"{name}Cell")
        yield layer(f"nn.{name}Cell", lambda c=cell: c(8, 16), x(2, 8))
