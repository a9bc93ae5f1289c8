"""Operators that a program registered with ``torch.library``: their Python bodies are traced.

An ONNX graph has no form of such an operator, and its body is the definition. Bodies that compute in NumPy, or that
ask for values of the inputs, cannot be traced: the failure is reported at their lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._library.custom_ops import OPDEFS
from torch.overrides import TorchFunctionMode

_OF_PYTORCH = "torch."
"""PyTorch registers operators of its own in the same way; for those the exporter has forms."""

_KEYS = {"CPU", "CompositeExplicitAutograd"}
_KERNELS: dict[str, Callable[..., Any]] = {}
"""``namespace::name.overload``: the Python kernels that ``Library.impl`` was given."""


@contextmanager
def kernel_recorder() -> Iterator[None]:
    """Within the block Python kernels that are registered are kept: PyTorch does not give them back."""
    original = torch.library.Library.impl

    def impl(self: Any, op_name: Any, fn: Any, dispatch_key: str = "", **options: Any) -> Any:
        result = original(self, op_name, fn, dispatch_key, **options)  # type: ignore[no-untyped-call]
        key = dispatch_key or self.dispatch_key
        if key in _KEYS and callable(fn) and not isinstance(fn, torch._ops.OpOverload):
            name = op_name._schema.name if isinstance(op_name, torch._ops.OpOverload) else op_name
            _KERNELS[name if "::" in name else f"{self.ns}::{name}"] = fn
        return result

    torch.library.Library.impl = impl  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.library.Library.impl = original  # type: ignore[method-assign]


@contextmanager
def bodies_are_traced() -> Iterator[None]:
    """Within the block a call of a registered operator runs its body instead."""
    with _CallBodies(_bodies()):
        yield


class _CallBodies(TorchFunctionMode):
    def __init__(self, bodies: dict[Any, Callable[..., Any]]) -> None:
        super().__init__()
        self._bodies = bodies

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        operator = getattr(func, "default", None) if isinstance(func, torch._ops.OpOverloadPacket) else func
        body = self._bodies.get(operator)
        if body is None:
            return func(*args, **(kwargs or {}))
        with self:  # a body may call other operators of its program
            return body(*args, **(kwargs or {}))


def _bodies() -> dict[Any, Callable[..., Any]]:
    bodies = {definition._opoverload: definition._init_fn for definition in list(OPDEFS.values())}
    for name, kernel in _KERNELS.items():
        namespace, _, operator = name.partition("::")
        operator, _, overload = operator.partition(".")
        packet = getattr(getattr(torch.ops, namespace), operator, None)
        bodies.setdefault(getattr(packet, overload or "default", None), kernel)
    return {
        operator: body
        for operator, body in bodies.items()
        if operator is not None and not body.__module__.startswith(_OF_PYTORCH)
    }
