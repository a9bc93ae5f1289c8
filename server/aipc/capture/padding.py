"""``nn.TransformerEncoder`` with padded sequences: zeros in the padded places, as in PyTorch's fast path.

In evaluation PyTorch packs sequences that are padded at their ends into a nested tensor, and the padded places of the
result are 0. Traced, the encoder takes the other path, which computes something there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def padded_places_are_zero() -> Iterator[None]:
    """Within the block every encoder that would take the fast path has its padded places set."""
    original = nn.TransformerEncoder.forward

    def padded_forward(
        self: nn.TransformerEncoder,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        result = original(self, src, mask, src_key_padding_mask, is_causal)
        if src_key_padding_mask is None or mask is not None or not _packs(self, src):
            return result
        return _with_zeros(self, result, src_key_padding_mask)

    nn.TransformerEncoder.forward = padded_forward  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.TransformerEncoder.forward = original  # type: ignore[method-assign]


def _packs(encoder: nn.TransformerEncoder, src: Tensor) -> bool:
    return (
        bool(getattr(encoder, "use_nested_tensor", False))
        and torch.backends.mha.get_fastpath_enabled()
        and not encoder.training
        and src.dim() == 3
    )


def _with_zeros(encoder: nn.TransformerEncoder, result: Tensor, padding: Any) -> Tensor:
    padded = padding if padding.dtype == torch.bool else padding != 0
    if getattr(encoder, "mask_check", True):
        # Only sequences that are all padded at their ends are packed.
        gaps = padded[:, :-1] & ~padded[:, 1:]
        padded = padded & (gaps.to(result.dtype).amax() == 0)
    filler = torch.zeros_like(result[:1, :1])
    if encoder.norm is not None:
        filler = encoder.norm(filler)
    return torch.where(padded.unsqueeze(-1), filler, result)
