"""Decompositions of our own: operators that PyTorch has no ONNX form of, or only one that no NPU takes.

Each is the operator's definition in other operators, exact or up to the order of sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten


def _windows(size: int, cells: int) -> list[tuple[int, int]]:
    """The windows of an adaptive pooling: start and end of each output cell."""
    return [(cell * size // cells, -((cell + 1) * size // -cells)) for cell in range(cells)]


def _even(x: Tensor, cells: Sequence[int]) -> bool:
    return all(size % count == 0 for size, count in zip(x.shape[-len(cells) :], cells, strict=True))


def _adaptive_max(x: Tensor, cells: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Maxima over windows, axis after axis, and the flat index of each maximum in its channel."""
    first = x.dim() - len(cells)
    sizes = list(x.shape[first:])
    places = torch.arange(math.prod(sizes)).reshape(sizes).expand(x.shape)
    for offset, count in enumerate(cells):
        axis = first + offset
        values, indices = [], []
        for start, end in _windows(sizes[offset], count):
            part = x.narrow(axis, start, end - start)
            best = part.argmax(axis, keepdim=True)
            values.append(part.amax(axis, keepdim=True))
            indices.append(places.narrow(axis, start, end - start).gather(axis, best))
        x, places = torch.cat(values, axis), torch.cat(indices, axis)
    return x, places


def adaptive_max_pool(x: Tensor, output_size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Maxima and int64 places of ``[..., *input]`` over windows that give ``[..., *output_size]``."""
    return _adaptive_max(x, list(output_size))


def _adaptive_average(x: Tensor, cells: Sequence[int]) -> Tensor:
    """Means over windows, as a product with a constant matrix along each axis."""
    first = x.dim() - len(cells)
    for offset, count in enumerate(cells):
        axis = first + offset
        size = x.shape[axis]
        if size == count:
            continue
        # By arithmetic on ranges, which is folded: a literal tensor would be an input of the traced program.
        cell, index = torch.arange(count).unsqueeze(1), torch.arange(size)
        start = torch.div(cell * size, count, rounding_mode="floor")
        end = torch.div((cell + 1) * size + count - 1, count, rounding_mode="floor")
        matrix = ((index >= start) & (index < end)).to(x.dtype) / (end - start).to(x.dtype)
        x = (x.transpose(axis, -1) @ matrix.T).transpose(axis, -1)
    return x


def adaptive_average_pool_2d(x: Tensor, output_size: Sequence[int]) -> Tensor:
    """Means of ``[..., H, W]`` over windows that give ``[..., *output_size]``."""
    cells = list(output_size)
    if not _even(x, cells):
        return _adaptive_average(x, cells)
    kernel = [size // count for size, count in zip(x.shape[-2:], cells, strict=True)]
    pooled: Tensor = aten.avg_pool2d(x, kernel, kernel)
    return pooled


def adaptive_average_pool_3d(x: Tensor, output_size: Sequence[int]) -> Tensor:
    """Means of ``[..., D, H, W]`` over windows that give ``[..., *output_size]``."""
    cells = list(output_size)
    if not _even(x, cells):
        return _adaptive_average(x, cells)
    kernel = [size // count for size, count in zip(x.shape[-3:], cells, strict=True)]
    pooled: Tensor = aten.avg_pool3d(x, kernel, kernel)
    return pooled


def cumprod(x: Tensor, dim: int, *, dtype: torch.dtype | None = None) -> Tensor:
    """Running products along ``dim``, in the shape of ``x``, in log2(n) steps.

    Each step multiplies with what lies twice as far back as in the step before.
    """
    if dtype is not None:
        x = x.to(dtype)
    step = 1
    while x.dim() and step < x.shape[dim]:
        rest = x.shape[dim] - step
        ahead = x.narrow(dim, 0, step)
        x = torch.cat([ahead, x.narrow(dim, step, rest) * x.narrow(dim, 0, rest)], dim)
        step *= 2
    return x


def cdist(x: Tensor, y: Tensor, p: float, compute_mode: int | None) -> Tensor:
    """Distances by the p-norm of ``[..., P, M]`` and ``[..., R, M]`` as ``[..., P, R]``."""
    difference = x.unsqueeze(-2) - y.unsqueeze(-3)
    if p == 0:
        return (difference != 0).to(x.dtype).sum(-1)
    if p == 1:
        return difference.abs().sum(-1)
    if p == 2:
        return (difference * difference).sum(-1).sqrt()
    if math.isinf(p):
        return difference.abs().amax(-1)
    return difference.abs().pow(p).sum(-1).pow(1 / p)


def hypot(x: Tensor, y: Tensor) -> Tensor:
    """Scaled by the larger of the two: squares leave the range of fp16 at 362."""
    large = torch.maximum(x.abs(), y.abs())
    scale = torch.where(large > 0, large, 1.0)
    first, second = x / scale, y / scale
    return scale * torch.sqrt(first * first + second * second) * (large > 0)


def median(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The lower median along ``dim`` and its int64 index: the last of the smaller half, sorted."""
    half = (x.shape[dim] + 1) // 2
    values, indices = torch.topk(x, half, dim, largest=False, sorted=True)
    values, indices = values.narrow(dim, half - 1, 1), indices.narrow(dim, half - 1, 1)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def cummax(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Running maxima along ``dim`` in log2(n) steps, and the last int64 place of each; both have the shape of ``x``."""
    if not x.dim():
        return x, torch.zeros_like(x, dtype=torch.int64)
    values, size, step = x, x.shape[dim], 1
    while step < size:
        rest = size - step
        further = torch.maximum(values.narrow(dim, step, rest), values.narrow(dim, 0, rest))
        values = torch.cat([values.narrow(dim, 0, step), further], dim)
        step *= 2
    padded, reached = x.movedim(dim, -1).unsqueeze(-2), values.movedim(dim, -1).unsqueeze(-1)
    place = torch.arange(size)
    # A mask that grows with the place, 0 ahead of it: fp16 counts to 2048, and of equal values the last counts.
    weights = torch.where(place <= place.unsqueeze(-1), place + 1, 0).to(x.dtype)
    return values, ((padded == reached).to(x.dtype) * weights).argmax(-1).movedim(-1, dim)


def cummin(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Running minima along ``dim`` and the last int64 place of each; both have the shape of ``x``."""
    values, places = cummax(-x, dim)
    return -values, places


def kthvalue(x: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The last of the k smallest along ``dim``, sorted, and its int64 index."""
    values, indices = torch.topk(x, k, dim, largest=False, sorted=True)
    values, indices = values.narrow(dim, k - 1, 1), indices.narrow(dim, k - 1, 1)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def searchsorted(
    sequence: Tensor,
    values: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Any:
    """How many of ``sequence`` ``[..., N]`` lie before each value: int64 or int32 in the shape of ``values``."""
    if sorter is not None:
        return NotImplemented
    right = right or side == "right"
    if sequence.dim() > 1:
        sequence = sequence.unsqueeze(-2)
    thresholds = values.unsqueeze(-1)
    before = sequence <= thresholds if right else sequence < thresholds
    return before.sum(-1).to(torch.int32 if out_int32 else torch.int64)


def bucketize(values: Tensor, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Any:
    """The bucket of each value among ``boundaries`` ``[N]``, as int64 or int32 in the shape of ``values``.

    Args:
        right: whether a boundary belongs to the bucket on its left, as for ``searchsorted``.
    """
    return searchsorted(boundaries, values, out_int32=out_int32, right=right)


def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Sums and means of bags as a product with the matrix of which index lies in which bag.

    Args:
        weight: ``[rows, size]``.
        indices: int64 ``[count]``, all bags one after the other.
        offsets: int64 ``[bags]``, where each bag starts; the result is ``[bags, size]``.
    """
    if mode == 2 or include_last_offset or (padding_idx is not None and padding_idx >= 0):
        return NotImplemented
    count, bags = indices.shape[0], offsets.shape[0]
    place, start = torch.arange(count), offsets.unsqueeze(1)
    end = torch.cat([offsets.narrow(0, 1, bags - 1), torch.full((1,), count, dtype=offsets.dtype)]).unsqueeze(1)
    inside = ((place >= start) & (place < end)).to(weight.dtype)
    rows = weight.index_select(0, indices)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(-1)
    result, size = inside @ rows, inside.sum(1)
    if mode == 1:
        result = result / size.clamp(min=1).unsqueeze(1)
    bag = (inside * torch.arange(bags).unsqueeze(1)).sum(0).to(indices.dtype)
    counts = size.to(indices.dtype)
    return result, bag, counts, torch.zeros_like(counts)


def istft(
    x: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Any:
    """The inverse transform, the window and the overlapping sum as one transposed convolution.

    Args:
        x: complex ``[bins, frames]`` or ``[batch, bins, frames]``; the result is real ``[samples]`` or
            ``[batch, samples]``.
        window: float ``[win_length]``.
    """
    one = onesided is not False
    if return_complex or not one:
        return NotImplemented
    hop, width = hop_length or n_fft // 4, win_length or n_fft
    parts = torch.view_as_real(x)
    batched = parts.dim() == 4
    parts = parts if batched else parts.unsqueeze(0)
    bins, frames = parts.shape[1], parts.shape[2]
    weights = torch.ones(width, dtype=parts.dtype) if window is None else window
    left = (n_fft - width) // 2
    weights = torch.nn.functional.pad(weights, (left, n_fft - width - left))
    angle = torch.outer(torch.arange(bins), torch.arange(n_fft)).remainder(n_fft) * (2 * math.pi / n_fft)
    share = torch.full((bins, 1), 2.0, dtype=parts.dtype)
    share[0] = 1.0
    if n_fft % 2 == 0:
        share[-1] = 1.0
    scale = share / (math.sqrt(n_fft) if normalized else n_fft)
    basis = torch.cat([scale * torch.cos(angle), -scale * torch.sin(angle)]).to(parts.dtype) * weights
    rows = torch.cat([parts[..., 0], parts[..., 1]], 1)
    signal = torch.nn.functional.conv_transpose1d(rows, basis.unsqueeze(1), stride=hop)
    ones = torch.ones(1, 1, frames, dtype=parts.dtype)
    total = torch.nn.functional.conv_transpose1d(ones, (weights * weights).reshape(1, 1, -1), stride=hop)
    start = n_fft // 2 if center else 0
    end = signal.shape[-1] - start if length is None else min(start + length, signal.shape[-1])
    result = (signal[..., start:end] / total[..., start:end]).squeeze(1)
    if length is not None and length > end - start:
        result = torch.nn.functional.pad(result, (0, length - (end - start)))
    return result if batched else result.squeeze(0)


def rrelu(
    x: Tensor, noise: Tensor, lower: float = 0.125, upper: float = 1 / 3, training: bool = False, generator: Any = None
) -> Any:
    """Leaky ReLU with the mean slope, in the shape of ``x``, and ``noise`` as it came: what evaluation computes."""
    if training:
        return NotImplemented
    return torch.nn.functional.leaky_relu(x, (lower + upper) / 2), noise


TABLE: dict[Any, Callable[..., Any]] = {
    aten.adaptive_max_pool2d.default: adaptive_max_pool,
    aten.adaptive_max_pool3d.default: adaptive_max_pool,
    aten._adaptive_avg_pool2d.default: adaptive_average_pool_2d,
    aten._adaptive_avg_pool3d.default: adaptive_average_pool_3d,
    aten.cumprod.default: cumprod,
    aten._cdist_forward.default: cdist,
    aten.hypot.default: hypot,
    aten.median.dim: median,
    aten.cummax.default: cummax,
    aten.cummin.default: cummin,
    aten.kthvalue.default: kthvalue,
    aten.searchsorted.Tensor: searchsorted,
    aten.bucketize.Tensor: bucketize,
    aten.embedding_bag.default: embedding_bag,
    aten.embedding_bag.padding_idx: embedding_bag,
    aten._embedding_bag_forward_only.default: embedding_bag,
    aten._embedding_bag.default: embedding_bag,
    aten.istft.default: istft,
    aten.rrelu_with_noise_functional.default: rrelu,
}
