"""RMS norms in the form that the NPU computes as one operator.

Written out, the square of a hidden state above 255 is more than fp16 holds, and trained models have states of 25,000 in
a few channels. QAIRT takes ``rms_norm`` for one operator and computes that right (QAIRT 2.51, v75: 74 dB where fp16
written out has none); the library's own form has its weight as the first factor, which the compiler refuses.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import nn


def fuse_rms_norms(model: nn.Module) -> int:
    """Let every RMS norm of ``model`` compute with :func:`torch.nn.functional.rms_norm`; return how many there are.

    A norm of another kind (Gemma's, whose weight counts from one) gives other values and stays as it is.
    """
    count = 0
    for module in model.modules():
        weight = getattr(module, "weight", None)
        epsilon = getattr(module, "variance_epsilon", getattr(module, "eps", None))
        if not type(module).__name__.endswith("RMSNorm") or weight is None or not isinstance(epsilon, float):
            continue
        fused = functools.partial(_fused, module, epsilon)
        sample = torch.randn(4, weight.shape[-1], generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            if torch.allclose(fused(sample), module(sample), rtol=1e-4, atol=1e-5):
                # In place: the module stays the one that the author constructed.
                module.forward = fused
                count += 1
    return count


def _fused(module: Any, epsilon: float, hidden: torch.Tensor) -> torch.Tensor:
    return nn.functional.rms_norm(hidden, (hidden.shape[-1],), module.weight, epsilon)
