"""Mixtures of experts of transformers, in a form without groups: every expert computes every token.

transformers sorts the tokens by expert and multiplies groups whose sizes depend on values. A graph for the NPU has
fixed shapes; here each token's outputs are added with the router's weights, which are 0 for experts not chosen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

_LIBRARY = "transformers.integrations.moe"


@contextmanager
def every_expert_computes() -> Iterator[None]:
    """Within the block, layers of experts of transformers 5 compute densely."""
    interface = getattr(sys.modules.get(_LIBRARY), "ExpertsInterface", None)
    if interface is None:
        yield
        return
    original = interface.get_interface
    interface.get_interface = lambda self, name, default: _dense_experts
    try:
        yield
    finally:
        interface.get_interface = original


def _dense_experts(self: Any, hidden_states: Tensor, top_k_index: Tensor, top_k_weights: Tensor) -> Tensor:
    """The layer's output [T, H].

    Args:
        self: the layer, with weights [E, in, out], or [E, out, in] where it is not ``is_transposed``.
        hidden_states: [T, H]
        top_k_index: int64[T, K]; places beyond the last expert stand for none.
        top_k_weights: [T, K]
    """
    name = "gate_up_proj" if self.has_gate else "up_proj"
    inner = _linear(self, hidden_states.unsqueeze(0), name)
    inner = self._apply_gate(inner) if self.has_gate else self.act_fn(inner)
    outputs = _linear(self, inner, "down_proj")
    if self.has_post_expert_norm:
        outputs = self.post_expert_norm(outputs)
    experts = torch.arange(outputs.shape[0], device=top_k_index.device).reshape(-1, 1, 1)
    weights = torch.where(top_k_index == experts, top_k_weights, 0.0).sum(-1, keepdim=True)
    mixed: Tensor = (outputs * weights.to(outputs.dtype)).sum(0)
    return mixed.to(hidden_states.dtype)


def _linear(layer: Any, x: Tensor, name: str) -> Tensor:
    """``x`` [1 or E, T, in] times each expert's weights, with their bias: [E, T, out]."""
    weight = getattr(layer, name)
    result = torch.matmul(x, weight if layer.is_transposed else weight.transpose(-2, -1))
    return result + getattr(layer, f"{name}_bias").unsqueeze(1) if layer.has_bias else result
