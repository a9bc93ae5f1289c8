"""The likeliest tokens of logits."""

from __future__ import annotations

import torch

from aipc.core.answers import TokenStep

KEPT = 8
"""Enough to find the package's token among PyTorch's where the two differ by rounding."""


def steps_of(logits: torch.Tensor) -> tuple[TokenStep, ...]:
    """The likeliest tokens at each position of float32[positions, vocabulary]."""
    values, tokens = logits.topk(min(KEPT, logits.shape[-1]), -1)
    return tuple(
        TokenStep(tokens=tuple(t), logits=tuple(v)) for t, v in zip(tokens.tolist(), values.tolist(), strict=True)
    )
