"""The author's model in eager PyTorch, call by call: where each value is made, what is random, what is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from aipc.capture.recorder import Stack, stack_of_frame

Array = np.ndarray[Any, Any]

_RANDOM = frozenset(
    {
        *("rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli"),
        *("multinomial", "poisson", "normal_", "uniform_", "random_", "bernoulli_", "exponential_", "cauchy_"),
        *("geometric_", "log_normal_", "rrelu"),
    }
)
_DROPOUTS = frozenset({"dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"})
_ORDERED = frozenset({"topk", "sort", "argsort", "argmax", "argmin", "max", "min", "kthvalue", "median", "nms"})
"""Functions whose answer depends on an order: PyTorch leaves that of equal values open."""
_SAMPLE = 4096
"""Elements of a tensor that are kept: enough to tell equal from different, at little memory."""


@dataclass(frozen=True, slots=True)
class EagerValue:
    """A tensor that one call returned: its shape and up to 4096 elements, evenly spaced.

    ``tied``: the call puts values in order, and some of them are equal.
    """

    shape: tuple[int, ...]
    sample: Array
    stack: Stack
    function: str
    tied: bool = False


class EagerTrace(TorchFunctionMode):
    """While active, keeps what every call of a PyTorch function returns, in order, with its call stack.

    ``random``: calls that draw random numbers; ``changed``: buffers that a call changes in place, by name.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.values: list[EagerValue] = []
        self.random: list[EagerValue] = []
        self.changed: dict[str, Stack] = {}
        self._buffers = {buffer.data_ptr(): name for name, buffer in module.named_buffers() if buffer.numel()}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = getattr(func, "__name__", str(func))
        stack = stack_of_frame(sys._getframe(1))
        tensors = [item for item in pytree.tree_leaves(result) if isinstance(item, torch.Tensor)]
        tied = name in _ORDERED and _has_equal_values(args)
        tensor_arguments = [
            EagerValue(tuple(item.shape), sampled(item), stack, name, tied) for item in tensors if not item.is_complex()
        ]
        if name in _RANDOM or (name in _DROPOUTS and kwargs.get("training", False)):
            self.random += tensor_arguments
        if (name == "__setitem__" or (name.endswith("_") and not name.startswith("_"))) and args:
            buffer = self._buffers.get(_pointer(args[0]))
            if buffer is not None:
                self.changed.setdefault(buffer, stack)
        self.values += tensor_arguments
        return result


def _has_equal_values(args: tuple[Any, ...]) -> bool:
    first = next((item for item in args if isinstance(item, torch.Tensor)), None)
    return first is not None and first.numel() > 0 and torch.unique(first).numel() < first.numel()


def _pointer(value: Any) -> int:
    if not isinstance(value, torch.Tensor):
        return -1
    base = value._base if value._base is not None else value
    return base.data_ptr()


def sampled(tensor: torch.Tensor) -> Array:
    """Up to 4096 elements ``[n]`` of a tensor, evenly spaced in row-major order; floats as float32."""
    return sampled_array(tensor.detach().float().numpy() if tensor.is_floating_point() else tensor.detach().numpy())


def sampled_array(array: Array) -> Array:
    """Up to 4096 elements ``[n]`` of an array, evenly spaced in row-major order, in its dtype."""
    flat = np.asarray(array).reshape(-1)
    step = max(1, flat.size // _SAMPLE)
    return np.array(flat[::step][:_SAMPLE])
