"""Batch, layer, group, instance, RMS and local response normalization, and F.normalize."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ._case import IMAGE, RANKS, Case, case, layer, within, x


def cases() -> Iterator[Case]:
    for n, rank in ((1, 2), (1, 3), (2, 4), (3, 5)):
        norm = getattr(nn, f"BatchNorm{n}d")
        names = f"nn.BatchNorm{n}d F.batch_norm torch.batch_norm"
        shape = RANKS[rank]
        yield layer(names, _settled(lambda m=norm, c=shape[1]: m(c)), x(*shape), rank=rank)
        yield layer(names, lambda m=norm, c=shape[1]: m(c, affine=False), x(*shape), affine=False, rank=rank)
        yield layer(
            names,
            lambda m=norm, c=shape[1]: m(c, track_running_stats=False),
            x(*shape),
            track_running_stats=False,
            rank=rank,
        )
    for n, rank in ((1, 3), (2, 4), (3, 5)):
        norm = getattr(nn, f"InstanceNorm{n}d")
        names = f"nn.InstanceNorm{n}d F.instance_norm torch.instance_norm"
        shape = RANKS[rank]
        for affine in (False, True):
            yield layer(names, lambda m=norm, c=shape[1], a=affine: m(c, affine=a), x(*shape), affine=affine, rank=rank)
    for rank in (3, 4, 5):
        shape = RANKS[rank]
        channels = shape[1]
        for groups in (1, 2, channels):
            yield layer(
                "nn.GroupNorm F.group_norm torch.group_norm",
                lambda g=groups, c=channels: nn.GroupNorm(g, c),
                x(*shape),
                num_groups="channels" if groups == channels else groups,
                rank=rank,
            )
    yield from _layer_norms()
    yield from _rest()


def _settled(build: Callable[..., nn.Module]) -> Callable[[], nn.Module]:
    """With running statistics that are not 0 and 1."""

    def settle() -> nn.Module:
        module = build()
        with torch.no_grad():
            module.running_mean.normal_()  # type: ignore[operator]
            module.running_var.uniform_(0.5, 2.0)  # type: ignore[operator]
            module.weight.normal_()  # type: ignore[operator]
            module.bias.normal_()  # type: ignore[operator]
        return module

    return settle


def _layer_norms() -> Iterator[Case]:
    names = "nn.LayerNorm F.layer_norm torch.layer_norm"
    for rank in (1, 2, 3, 4, 5, 6):
        shape = RANKS[rank]
        yield layer(names, lambda s=shape: nn.LayerNorm(s[-1]), x(*shape), normalized_shape="last", rank=rank)
    for count in (2, 3):
        yield layer(
            names, lambda k=count: nn.LayerNorm(IMAGE[-k:]), x(*IMAGE), normalized_shape=f"last {count}", rank=4
        )
    yield layer(names, lambda: nn.LayerNorm(20, elementwise_affine=False), x(4, 6, 20), elementwise_affine=False)
    yield layer(names, lambda: nn.LayerNorm(20, bias=False), x(4, 6, 20), bias=False)
    yield layer(names, lambda: nn.LayerNorm(768), x(1, 12, 768), label="768 channels")
    yield layer("pattern.channels_first_layer_norm", lambda: _ChannelsFirst(), x(*IMAGE))
    rms = "nn.RMSNorm F.rms_norm torch.rms_norm"
    for rank in (2, 3, 4):
        yield layer(rms, lambda s=RANKS[rank]: nn.RMSNorm(s[-1]), x(*RANKS[rank]), rank=rank)
    yield layer(rms, lambda: nn.RMSNorm(64), x(1, 128, 64), label="128 tokens")
    yield layer(rms, lambda: nn.RMSNorm(20, elementwise_affine=False), x(4, 6, 20), elementwise_affine=False)


class _ChannelsFirst(nn.Module):
    """ConvNeXt's LayerNorm2d."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(6)

    def forward(self, a: torch.Tensor) -> Any:
        return self.norm(a.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _rest() -> Iterator[Case]:
    yield layer("nn.LocalResponseNorm F.local_response_norm", lambda: nn.LocalResponseNorm(3), x(*IMAGE))
    yield layer("nn.CrossMapLRN2d", lambda: nn.CrossMapLRN2d(3), x(*IMAGE))
    for p in (1.0, 2.0):
        for dim in (1, -1):
            yield case("F.normalize", lambda a, p=p, d=dim: F.normalize(a, p=p, dim=d), x(*IMAGE), p=p, dim=dim)
    yield layer("torch.nn.utils.weight_norm", lambda: nn.utils.weight_norm(nn.Linear(20, 8)), x(4, 20))
    yield layer(
        "torch.nn.utils.parametrizations.weight_norm",
        lambda: nn.utils.parametrizations.weight_norm(nn.Linear(20, 8)),
        x(4, 20),
        label="parametrized",
    )
    yield case(
        "pattern.standardize", lambda a: (a - a.mean(-1, True)) / (a.std(-1, keepdim=True) + 1e-5), x(*IMAGE, reach=3.0)
    )
    yield case(
        "F.cosine_similarity nn.CosineSimilarity torch.cosine_similarity",
        lambda a, b: F.cosine_similarity(a, b, dim=1),
        x(*IMAGE),
        x(*IMAGE),
        dim=1,
    )
    yield case(
        "F.cosine_similarity nn.CosineSimilarity torch.cosine_similarity",
        lambda a, b: F.cosine_similarity(a, b, dim=-1),
        x(*IMAGE),
        x(*IMAGE),
        dim=-1,
    )
    yield case(
        "F.pairwise_distance nn.PairwiseDistance torch.pairwise_distance",
        F.pairwise_distance,
        within(1, 3, 6, 20),
        within(-3, -1, 6, 20),
    )
