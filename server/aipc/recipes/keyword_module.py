"""Modules whose forward takes any tensors by keyword, under names that are only known when the graph is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

Compute = Callable[[Mapping[str, torch.Tensor]], Mapping[str, torch.Tensor]]


def keyword_module(owner: nn.Module, names: Sequence[str], compute: Compute) -> nn.Module:
    """Return a module with ``forward(self, <names>)`` that gives ``compute({name: tensor})``.

    Args:
        owner: the module whose weights ``compute`` reads; it becomes a submodule, so the graph's nodes carry its paths.
    """

    class KeywordModule(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = owner

        def forward(self, *args: torch.Tensor, **kwargs: torch.Tensor) -> dict[str, torch.Tensor]:
            tensors = dict(zip(names, args, strict=False)) | kwargs
            return dict(compute(tensors))

    # The exporter names the graph's inputs by the signature.
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    signature = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *parameters])
    KeywordModule.forward.__signature__ = signature  # type: ignore[attr-defined]
    return KeywordModule().eval()
