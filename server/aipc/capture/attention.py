"""Decompositions of attention: other ranks than four, and masks, whose empty rows give zeros in PyTorch.

Since PyTorch 2.5 a row of the mask that lets nothing through gives 0, on all backends (``_safe_softmax``). The exporter
leaves the mean of the values there: every score is the lowest number, so all weights are equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Attention [..., L, E], [..., S, E], [..., S, Ev] -> [..., L, Ev], with a mask or with other than four axes."""
    rank = query.dim()
    if rank < 2 or not rank == key.dim() == value.dim():
        return NotImplemented
    if attn_mask is not None and not dropout_p:
        return _masked(query, key, value, attn_mask, scale, enable_gqa)
    if rank == 4 or enable_gqa:
        return NotImplemented
    batch = _broadcast(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    count = math.prod(batch)

    def folded(x: Tensor) -> Tensor:
        return x.expand(*batch, *x.shape[-2:]).reshape(count, 1, *x.shape[-2:])

    if attn_mask is not None and attn_mask.dim() > 2:
        attn_mask = folded(attn_mask)
    result = torch.nn.functional.scaled_dot_product_attention(
        folded(query), folded(key), folded(value), attn_mask, dropout_p, is_causal, scale=scale
    )
    return result.reshape(*batch, *result.shape[-2:])


def _masked(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float | None, grouped: bool) -> Tensor:
    """Scores, softmax and sum, each row times whether its mask lets anything through."""
    if grouped:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    # PyTorch scales both sides by the root, so that no product overflows.
    root = math.sqrt(query.shape[-1] ** -0.5 if scale is None else abs(scale))
    left = query * (math.copysign(root, scale) if scale is not None else root)
    scores = left @ (key * root).transpose(-2, -1)
    low = torch.finfo(query.dtype).min
    if mask.dtype == torch.bool:
        added = torch.where(mask, 0.0, low).to(query.dtype)
        open_rows = mask.to(query.dtype).amax(-1, keepdim=True)
    else:
        added = mask
        open_rows = (mask.amax(-1, keepdim=True) != -math.inf).to(query.dtype)
        # An infinite score would make the softmax of a closed row NaN. ``masks.py`` takes both out where none can be.
        added = mask.clamp(min=low)
    weights = torch.softmax(scores + added, -1)
    return weights @ value * open_rows


def _broadcast(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that shapes of equal length broadcast to."""
    return tuple(max(sizes) for sizes in zip(*shapes, strict=True))


TABLE: dict[Any, Callable[..., Any]] = {aten.scaled_dot_product_attention.default: attention}
