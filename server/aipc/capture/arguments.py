"""The arguments that a model's ``forward`` is called with, and their names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils import _pytree as pytree

OF_THE_CALL = "example_inputs of the call"
"""The provenance of inputs that the Python interface was given."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Arguments for ``forward``. ``provenance`` says in a sentence where they come from."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    provenance: str = ""

    @property
    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Every tensor, in the order of the arguments."""
        leaves = pytree.tree_leaves((tuple(self.args), dict(self.kwargs)))
        return tuple(leaf for leaf in leaves if isinstance(leaf, torch.Tensor))

    def shapes(self, module: torch.nn.Module) -> dict[str, str]:
        """Argument name -> shape string, the form in which the configuration keeps them."""
        names = parameter_names(module)
        named = dict(zip(names, self.args, strict=False)) | dict(self.kwargs)
        return {
            name: shape_text(value.shape, value.dtype)
            for name, value in named.items()
            if isinstance(value, torch.Tensor)
        }


def shape_text(shape: Sequence[int], dtype: torch.dtype) -> str:
    """As it stands in a configuration: ``float32[1,3,224,224]``."""
    return f"{str(dtype).removeprefix('torch.')}[{','.join(map(str, shape))}]"


def parameter_names(module: torch.nn.Module) -> list[str]:
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return []
    return [item.name for item in parameters if item.kind not in {item.VAR_POSITIONAL, item.VAR_KEYWORD}]
