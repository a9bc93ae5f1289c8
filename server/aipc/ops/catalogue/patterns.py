"""Pieces of models that people write again and again, and that compilers trip over. Their names begin with pattern."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ._case import Case, case, layer, x


def cases() -> Iterator[Case]:
    for tokens in (8, 128):
        yield layer("pattern.hf_rms_norm", lambda: _RmsNorm(True), x(1, tokens, 64), tokens=tokens)
        yield layer("pattern.hf_rms_norm_weight_second", lambda: _RmsNorm(False), x(1, tokens, 64), tokens=tokens)
    yield layer(
        "pattern.hf_rms_norm", lambda: _RmsNorm(True), x(1, 128, 64, reach=1000.0), tokens=128, label="large values"
    )
    yield case("pattern.window_partition", lambda a: _windows(a, 4), x(1, 8, 12, 6), rank=4)
    yield case("pattern.window_partition", lambda a: _windows(a, 8), x(1, 8, 8, 6), rank=4, label="one window")
    yield case("pattern.window_reverse", lambda a: _unwindows(a, 4, 8, 12), x(6, 4, 4, 6))
    yield case("pattern.grid_partition", lambda a: _grid(a, 4), x(1, 8, 12, 6), label="MaxViT")
    yield case("pattern.grid_partition", lambda a: _grid(a, 8), x(1, 8, 8, 6), label="MaxViT, unit dimensions")
    yield case("pattern.shifted_windows", lambda a: _windows(torch.roll(a, (-2, -2), (1, 2)), 4), x(1, 8, 12, 6))
    for name, function in (("silu", F.silu), ("gelu", F.gelu)):
        yield layer("pattern.gated_mlp", lambda f=function: _GatedMlp(f), x(1, 16, 32), activation=name)
    yield layer("pattern.gated_mlp", lambda: _GatedMlp(F.silu), x(1, 128, 32), activation="silu", tokens=128)
    yield case("pattern.rotary_halves", _rotary_halves, x(1, 4, 16, 32), x(1, 1, 16, 32), x(1, 1, 16, 32))
    yield case("pattern.rotary_interleaved", _rotary_pairs, x(1, 4, 16, 32), x(1, 1, 16, 16), x(1, 1, 16, 16))
    yield case("pattern.rotary_complex", _rotary_complex, x(1, 16, 4, 32))
    yield layer("pattern.squeeze_excite", lambda: _SqueezeExcite(), x(1, 16, 10, 12))
    yield case(
        "pattern.channel_shuffle_written_out",
        lambda a: a.reshape(1, 2, 3, 10, 12).transpose(1, 2).reshape(1, 6, 10, 12),
        x(1, 6, 10, 12),
    )
    yield case("pattern.pixel_shuffle_written_out", _shuffle, x(1, 8, 6, 10))
    yield layer("pattern.patch_embedding", lambda: _Patches(), x(1, 3, 32, 32))
    yield layer("pattern.inverted_residual", lambda: _Inverted(), x(1, 8, 12, 20))
    yield layer("pattern.convnext_block", lambda: _ConvNext(), x(1, 8, 12, 20))
    yield case(
        "pattern.dfl",
        lambda a: (a.view(1, 4, 16, 20).softmax(2) * torch.arange(16.0).view(1, 1, 16, 1)).sum(2),
        x(1, 64, 20),
        label="YOLO boxes",
    )
    yield case("pattern.key_value_update", lambda c, n: torch.cat([c[:, :, 1:], n], 2), x(1, 4, 16, 8), x(1, 4, 1, 8))
    yield case(
        "pattern.repeat_key_values", lambda a: a[:, :, None].expand(1, 2, 3, 16, 8).reshape(1, 6, 16, 8), x(1, 2, 16, 8)
    )
    yield case(
        "pattern.mean_pool_masked", lambda a, m: (a * m).sum(1) / m.sum(1).clamp(min=1e-3), x(1, 16, 8), x(1, 16, 1)
    )
    yield case(
        "pattern.fourier_features", lambda a: torch.cat([torch.sin(a * 6.28), torch.cos(a * 6.28)], -1), x(6, 20)
    )
    yield case("pattern.global_response_norm", _global_response, x(1, 10, 12, 8))
    yield case("pattern.correlation", _correlation, x(1, 6, 6, 8), x(1, 6, 6, 8), label="RAFT, rank 6")


class _RmsNorm(nn.Module):
    def __init__(self, weight_first: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(64))
        self.weight_first = weight_first

    def forward(self, a: torch.Tensor) -> Any:
        normal = a * torch.rsqrt(a.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.weight * normal if self.weight_first else normal * self.weight


def _windows(a: torch.Tensor, size: int) -> torch.Tensor:
    b, h, w, c = a.shape
    a = a.view(b, h // size, size, w // size, size, c)
    return a.permute(0, 1, 3, 2, 4, 5).reshape(-1, size, size, c)


def _unwindows(a: torch.Tensor, size: int, h: int, w: int) -> torch.Tensor:
    a = a.view(1, h // size, w // size, size, size, -1)
    return a.permute(0, 1, 3, 2, 4, 5).reshape(1, h, w, -1)


def _grid(a: torch.Tensor, size: int) -> torch.Tensor:
    b, h, w, c = a.shape
    a = a.view(b, size, h // size, size, w // size, c)
    return a.permute(0, 2, 4, 1, 3, 5).reshape(-1, size, size, c)


class _GatedMlp(nn.Module):
    def __init__(self, function: object) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(32, 64), nn.Linear(32, 64), nn.Linear(64, 32)
        self.function = function

    def forward(self, a: torch.Tensor) -> Any:
        return self.down(self.function(self.gate(a)) * self.up(a))  # type: ignore[operator]


def _rotary_halves(a: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    half = a.shape[-1] // 2
    return a * cos + torch.cat([-a[..., half:], a[..., :half]], -1) * sin


def _rotary_pairs(a: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    even, odd = a[..., ::2], a[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def _rotary_complex(a: torch.Tensor) -> torch.Tensor:
    turn = torch.polar(torch.ones(16, 1, 16), torch.arange(256.0).reshape(16, 1, 16) / 100)
    pairs = torch.view_as_complex(a.reshape(1, 16, 4, 16, 2))
    return torch.view_as_real(pairs * turn).flatten(-2)


class _SqueezeExcite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)

    def forward(self, a: torch.Tensor) -> Any:
        return a * torch.sigmoid(self.expand(F.relu(self.reduce(a.mean((2, 3), keepdim=True)))))


def _shuffle(a: torch.Tensor) -> torch.Tensor:
    b, c, h, w = a.shape
    return a.reshape(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, c // 4, h * 2, w * 2)


class _Patches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Conv2d(3, 16, 8, 8)
        self.token, self.position = nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 17, 16))

    def forward(self, a: torch.Tensor) -> Any:
        patches = self.project(a).flatten(2).transpose(1, 2)
        return torch.cat([self.token.expand(a.shape[0], -1, -1), patches], 1) + self.position


class _Inverted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(8, 32, 1),
            nn.BatchNorm2d(32),
            nn.ReLU6(),
            nn.Conv2d(32, 32, 3, padding=1, groups=32),
            nn.BatchNorm2d(32),
            nn.ReLU6(),
            nn.Conv2d(32, 8, 1),
            nn.BatchNorm2d(8),
        )

    def forward(self, a: torch.Tensor) -> Any:
        return a + self.block(a)


class _ConvNext(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.depth = nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.rest = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 32), nn.GELU(), nn.Linear(32, 8))

    def forward(self, a: torch.Tensor) -> Any:
        return a + self.rest(self.depth(a).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _global_response(a: torch.Tensor) -> Any:
    norm = a.norm(2, dim=(1, 2), keepdim=True)
    return a * (norm / (norm.mean(-1, keepdim=True) + 1e-6)) + a


def _correlation(a: torch.Tensor, b: torch.Tensor) -> Any:
    c, h, w = 6, 6, 8
    return (a.view(1, c, h * w).transpose(1, 2) @ b.view(1, c, h * w)).view(1, h, w, 1, h, w) / 2.5
