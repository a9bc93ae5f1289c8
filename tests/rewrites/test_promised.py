"""What is known to be refused, wrong or unbuildable runs once it is rewritten, or comes with choices."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from aipc.ops.apply_rewrites import measure_rewritten
from aipc.ops.catalogue._case import Case, Input, case, ints, layer, mask, within, x
from aipc.ops.measurements import RUNS, WRONG
from aipc.ops.reference import write_case
from aipc.qairt.soc import get_soc
from aipc.rewrites.choices import choices_for, choices_in

pytestmark = pytest.mark.slow

SOC = get_soc("sm8650")


class RMSNorm(nn.Module):
    """As Hugging Face writes it: the weight is the first factor."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(size))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        variance = hidden.pow(2).mean(-1, keepdim=True)
        return self.weight * (hidden * torch.rsqrt(variance + 1e-6))


class GatedMLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.gate, self.up, self.down = nn.Linear(24, 48), nn.Linear(24, 48), nn.Linear(48, 24)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.down(F.silu(self.gate(hidden)) * self.up(hidden))


def windows(image: torch.Tensor) -> torch.Tensor:
    """As Swin partitions: six axes on the way."""
    b, h, w, c = image.shape
    parts = image.view(b, h // 4, 4, w // 4, 4, c)
    return parts.permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)


def rotary(q: torch.Tensor) -> torch.Tensor:
    """As transformers rotate: halves swapped, one negated."""
    angles = torch.arange(q.shape[-2])[:, None] / 10000 ** (torch.arange(0, q.shape[-1], 2) / q.shape[-1])
    angles = torch.cat([angles, angles], dim=-1)
    half = q.shape[-1] // 2
    swapped = torch.cat([-q[..., half:], q[..., :half]], dim=-1)
    return q * angles.cos() + swapped * angles.sin()


def attention(q: torch.Tensor, blocked: torch.Tensor) -> torch.Tensor:
    scores = q @ q.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(scores.masked_fill(blocked, -1e9), dim=-1) @ q


def grid(*shape: int) -> Input:
    return Input((1, *shape), low=-1.2, high=1.2, edges=(-1.5, 1.5))


IMAGE, VOLUME = x(1, 6, 10, 12), x(1, 4, 5, 7, 9)
CASES = {
    "einsum": case("einsum", lambda a, b: torch.einsum("bmchw,bnmc->bmhwn", a, b), x(2, 3, 4, 5, 6), x(2, 7, 3, 4)),
    "window partition": case("permute", windows, x(1, 8, 12, 6)),
    "pixel_unshuffle": case("pixel_unshuffle", lambda a: F.pixel_unshuffle(a, 2), IMAGE),
    "6-D permute": case(
        "permute", lambda a: a.view(2, 3, 2, 5, 3, 4).permute(0, 3, 1, 4, 2, 5).flatten(), x(2, 6, 5, 12)
    ),
    "LayerNorm over several axes": layer("layer_norm", lambda: nn.LayerNorm([10, 12]), IMAGE),
    "LayerNorm over another axis": case(
        "layer_norm", lambda a: F.layer_norm(a.transpose(1, 3), (6,)).transpose(1, 3), IMAGE
    ),
    "BatchNorm3d": layer("batch_norm", lambda: nn.BatchNorm3d(4).eval(), VOLUME),
    "InstanceNorm3d": layer("instance_norm", lambda: nn.InstanceNorm3d(4), VOLUME),
    "MaxPool3d": layer("max_pool3d", lambda: nn.MaxPool3d((1, 3, 3), (2, 1, 2)), VOLUME),
    "AvgPool3d": layer("avg_pool3d", lambda: nn.AvgPool3d(2), VOLUME),
    "adaptive pooling to odd sizes": case("adaptive_max_pool2d", lambda a: F.adaptive_max_pool2d(a, 3), IMAGE),
    "unfold": case("unfold", lambda a: F.unfold(a, 3, padding=1), IMAGE),
    "fold": case("fold", lambda a: F.fold(a, (6, 8), 3, padding=1), x(1, 18, 48)),
    "rfft": case("fft_rfft", lambda a: torch.view_as_real(torch.fft.rfft(a)), x(2, 16)),
    "fft2": case("fft_fft2", lambda a: torch.view_as_real(torch.fft.fft2(a)), x(1, 8, 12)),
    "stft": case(
        "stft",
        lambda a: torch.stft(a, 16, 8, window=torch.hann_window(16), return_complex=True).abs(),
        x(1, 128),
    ),
    "istft": case(
        "istft",
        lambda a: torch.istft(torch.view_as_complex(a), 16, 8, window=torch.hann_window(16)),
        x(1, 9, 12, 2),
    ),
    "circular padding": case("pad", lambda a: F.pad(a, (1, 2, 2, 1), mode="circular"), IMAGE),
    "replicate padding": case("pad", lambda a: F.pad(a, (1, 2, 2, 1), mode="replicate"), IMAGE),
    "trilinear": case("interpolate", lambda a: F.interpolate(a, scale_factor=2, mode="trilinear"), VOLUME),
    "1-D linear": case("interpolate", lambda a: F.interpolate(a, scale_factor=2, mode="linear"), x(1, 4, 9)),
    "antialiased": case("interpolate", lambda a: F.interpolate(a, (5, 7), mode="bilinear", antialias=True), IMAGE),
    "bicubic": case("interpolate", lambda a: F.interpolate(a, scale_factor=2, mode="bicubic"), IMAGE),
    "bicubic grid_sample": case(
        "grid_sample", lambda a, g: F.grid_sample(a, g, mode="bicubic", align_corners=False), IMAGE, grid(5, 7, 2)
    ),
    "5-D grid_sample": case(
        "grid_sample", lambda a, g: F.grid_sample(a, g, align_corners=False), x(1, 3, 4, 5, 6), grid(3, 4, 5, 3)
    ),
    "erf": case("erf", torch.erf, IMAGE),
    "celu": case("celu", lambda a: F.celu(a, 1.5), IMAGE),
    "sinh": case("sinh", torch.sinh, IMAGE),
    "asinh": case("asinh", torch.asinh, IMAGE),
    "acosh": case("acosh", torch.acosh, within(1.0, 8.0, 2, 24)),
    "fmod": case("fmod", lambda a: torch.fmod(a, 3), IMAGE),
    "remainder": case("remainder", lambda a: torch.remainder(a, 3), IMAGE),
    "floor division": case("floor_divide", lambda a: a // 3, IMAGE),
    "isinf": case("isinf", lambda a: torch.isinf(a).float(), IMAGE),
    "nan_to_num": case("nan_to_num", torch.nan_to_num, IMAGE),
    "triu": case("triu", torch.triu, x(2, 8, 8)),
    "tril": case("tril", torch.tril, x(2, 8, 8)),
    "prod": case("prod", lambda a: a.prod(-1), x(2, 6, 5)),
    "L1 norm": case("norm", lambda a: a.norm(p=1, dim=-1), IMAGE),
    "cumprod": case("cumprod", lambda a: torch.cumprod(a, -1), within(0.5, 1.5, 2, 8)),
    "cummax": case("cummax", lambda a: torch.cummax(a, -1)[0], x(2, 8)),
    "median": case("median", lambda a: torch.median(a, -1)[0], x(2, 9)),
    "kthvalue": case("kthvalue", lambda a: torch.kthvalue(a, 3, -1)[0], x(2, 9)),
    "searchsorted": case("searchsorted", lambda a: torch.searchsorted(torch.arange(8.0), a), x(2, 6)),
    "bucketize": case("bucketize", lambda a: torch.bucketize(a, torch.arange(8.0)), x(2, 6)),
    "cdist": case("cdist", torch.cdist, x(1, 6, 4), x(1, 5, 4)),
    "scatter with reduction": case(
        "scatter_add", lambda a, i, s: a.scatter_add(1, i, s), x(4, 8), ints(0, 8, 4, 6), x(4, 6)
    ),
    "index_put with accumulate": case(
        "index_put", lambda a, i, v: a.index_put((i,), v, accumulate=True), x(8, 4), ints(0, 8, 5), x(5, 4)
    ),
    "boolean mask": case("masked_select", lambda a, m: a[m], x(4, 6), mask(4, 6)),
    "nonzero": case("nonzero", lambda a: torch.nonzero(a), x(4, 6)),
    "max_pool2d with indices": case("max_pool2d", lambda a: F.max_pool2d(a, 2, return_indices=True), x(1, 4, 8, 10)),
    "max_unpool2d": case(
        "max_unpool2d",
        lambda a: F.max_unpool2d(*F.max_pool2d(a, 2, return_indices=True), 2),
        x(1, 4, 8, 10),
    ),
    "deform_conv2d": case(
        "tv.deform_conv2d",
        lambda a, o: __import__("torchvision").ops.deform_conv2d(a, o, torch.ones(4, 3, 3, 3) / 27, padding=1),
        x(1, 3, 6, 7),
        Input((1, 18, 6, 7), low=-0.5, high=0.5, edges=(-1.0, 1.0)),
    ),
    "NMS": case(
        "tv.nms", lambda b, s: __import__("torchvision").ops.nms(b, s, 0.5), within(0.0, 8.0, 6, 4), within(0, 1, 6)
    ),
    "EmbeddingBag": layer("embedding_bag", lambda: nn.EmbeddingBag(16, 8), ints(0, 16, 3, 5)),
    "determinant": case("det", torch.linalg.det, x(2, 3, 3)),
    "inverse": case("inverse", lambda a: torch.linalg.inv(a + 9 * torch.eye(3)), x(2, 3, 3)),
    "complex product": case(
        "complex",
        lambda a, b: torch.view_as_real(torch.view_as_complex(a) * torch.view_as_complex(b)),
        x(3, 2),
        x(3, 2),
    ),
    "integers beyond 2048": case("mul", lambda a: a * 2049 + 1, ints(0, 4000, 4, 6, dtype="int32")),
    "tan": case("tan", torch.tan, within(-1.2, 1.2, 2, 24)),
    "ceil": case("ceil", torch.ceil, IMAGE),
    "roi_align": case(
        "tv.roi_align",
        lambda a: __import__("torchvision").ops.roi_align(a, torch.tensor([[0.0, 1, 1, 5, 6]]), 3, sampling_ratio=2),
        IMAGE,
    ),
    "RMSNorm in Hugging Face's order": layer("mul", lambda: RMSNorm(64), x(1, 128, 64, reach=4.0)),
    "gated MLP": layer("silu", GatedMLP, x(1, 16, 24, reach=4.0)),
    "rotary embedding": case("mul", rotary, x(1, 4, 16, 8)),
    "attention masked with -1e9": case("softmax", attention, x(1, 2, 8, 16, reach=2.0), mask(1, 2, 8, 8)),
    "a large sum": case("sum", lambda a: a.sum(-1) / 4096, Input((2, 4096), low=30, high=60, edges=(30, 60))),
    "variance of large values": case("var", lambda a: a.var(-1), Input((2, 64), low=-900, high=900, edges=(-900, 900))),
    "softmax without its maximum": case(
        "exp",
        lambda a: torch.exp(a) / torch.exp(a).sum(-1, keepdim=True),
        Input((2, 16), low=0, high=14, edges=(0, 14)),
    ),
    "a transpose, which the NPU has": case("permute", lambda a: a.permute(0, 2, 3, 1).contiguous() * 2, IMAGE),
}


CHOSEN = {
    "fft2": "DFT",
    "fmod": "Mod",
    "boolean mask": "aten.index.Tensor",
    "nonzero": "aten.nonzero",
    "NMS": "torchvision.nms",
}
"""What no rewrite does exactly -> the operator whose choices the author is told. All else runs."""


@pytest.mark.parametrize("name", CASES)
def test_it_runs_rewritten_or_comes_with_choices(name: str, tmp_path: Path) -> None:
    chosen: Case = CASES[name]
    facts = write_case(chosen, tmp_path)
    operator = CHOSEN.get(name, "")
    if not facts["exports"]:
        assert operator, facts["reason"]
        assert operator in {op for choice in choices_in(facts["reason"]) for op in choice.ops}, facts["reason"]
        return
    after = measure_rewritten(tmp_path, facts, SOC)
    if operator:
        assert operator in {*after.cpu, *after.fails} or after.verdict == WRONG, after
        assert any(choices_for(operator))
    else:
        assert after.verdict == RUNS, after
