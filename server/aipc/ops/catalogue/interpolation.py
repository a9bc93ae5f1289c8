"""Resizing and sampling at computed places."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from ._case import Case, case, layer, within, x

_SHAPES = {3: (1, 6, 20), 4: (1, 6, 10, 12), 5: (1, 3, 4, 6, 8)}
_MODES = {
    3: ("nearest", "nearest-exact", "linear", "area"),
    4: ("nearest", "nearest-exact", "bilinear", "bicubic", "area"),
    5: ("nearest", "nearest-exact", "trilinear", "area"),
}


def cases() -> Iterator[Case]:
    for rank, modes in _MODES.items():
        for mode in modes:
            corners = (False, True) if "linear" in mode or mode == "bicubic" else (None,)
            for align in corners:
                for scale in (2.0, 0.5, 1.5):
                    yield case(
                        "F.interpolate nn.Upsample F.upsample",
                        lambda a, s=scale, m=mode, c=align: F.interpolate(a, scale_factor=s, mode=m, align_corners=c),
                        x(*_SHAPES[rank]),
                        mode=mode,
                        align_corners=align,
                        scale_factor=scale,
                        rank=rank,
                    )
    for mode in ("nearest", "bilinear"):
        yield case(
            "F.interpolate nn.Upsample",
            lambda a, m=mode: F.interpolate(a, size=(17, 25), mode=m),
            x(*_SHAPES[4]),
            mode=mode,
            size="any",
            rank=4,
        )
    for mode in ("bilinear", "bicubic"):
        yield case(
            "F.interpolate",
            lambda a, m=mode: F.interpolate(a, scale_factor=0.5, mode=m, antialias=True),
            x(*_SHAPES[4]),
            mode=mode,
            antialias=True,
        )
    yield layer(
        "nn.UpsamplingNearest2d F.upsample_nearest", lambda: nn.UpsamplingNearest2d(scale_factor=2), x(*_SHAPES[4])
    )
    yield layer(
        "nn.UpsamplingBilinear2d F.upsample_bilinear", lambda: nn.UpsamplingBilinear2d(scale_factor=2), x(*_SHAPES[4])
    )
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            for align in (False, True):
                yield case(
                    "F.grid_sample torch.grid_sampler torch.grid_sampler_2d",
                    lambda a, g, m=mode, p=padding, c=align: F.grid_sample(
                        a, g, mode=m, padding_mode=p, align_corners=c
                    ),
                    x(*_SHAPES[4]),
                    within(-1.2, 1.2, 1, 7, 9, 2),
                    mode=mode,
                    padding_mode=padding,
                    align_corners=align,
                    rank=4,
                )
    for mode in ("bilinear", "nearest"):
        yield case(
            "F.grid_sample torch.grid_sampler_3d",
            lambda a, g, m=mode: F.grid_sample(a, g, mode=m, align_corners=False),
            x(*_SHAPES[5]),
            within(-1.2, 1.2, 1, 3, 5, 7, 3),
            mode=mode,
            padding_mode="zeros",
            align_corners=False,
            rank=5,
        )
    for align in (False, True):
        yield case(
            "F.affine_grid torch.affine_grid_generator",
            lambda t, c=align: F.affine_grid(t, [1, 3, 7, 9], align_corners=c),
            x(1, 2, 3),
            align_corners=align,
            rank=4,
        )
    yield case("F.affine_grid", lambda t: F.affine_grid(t, [1, 3, 3, 5, 7], align_corners=False), x(1, 3, 4), rank=5)
    yield case(
        "pattern.upsample_by_repeat", lambda a: a.repeat_interleave(2, -1).repeat_interleave(2, -2), x(*_SHAPES[4])
    )
    yield case(
        "pattern.space_to_depth",
        lambda a: torch.cat([a[..., ::2, ::2], a[..., 1::2, ::2], a[..., ::2, 1::2], a[..., 1::2, 1::2]], 1),
        x(*_SHAPES[4]),
    )
