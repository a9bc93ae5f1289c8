"""Values while tracing: what no input reaches is computed, so that Python may ask for it.

PyTorch traces with tensors without values, and stops where the author's code asks for one (``int(lengths.max())``,
``if mask.any()``), also where the answer follows from buffers, shapes and numbers alone. Here every such tensor keeps
its value beside it; questions about it are answered, and what inputs reach stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorConverter, FakeTensorMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import _disable_current_modes

_LARGEST = 1 << 22
"""Elements. What is larger is not computed: nobody branches on the values of weights."""

_VALUE = "_aipc_value"


@contextmanager
def known_values(inputs: Iterable[torch.Tensor]) -> Iterator[None]:
    """Within the block, tensors of shape and dtype alone that none of ``inputs`` reaches know their values."""
    unknown = {id(tensor) for tensor in inputs}
    convert, dispatch = FakeTensorConverter.from_real_tensor, FakeTensorMode.dispatch

    def from_real_tensor(self: Any, mode: Any, tensor: torch.Tensor, *args: Any, **kwargs: Any) -> FakeTensor:
        fake = convert(self, mode, tensor, *args, **kwargs)
        if id(tensor) not in unknown and not isinstance(tensor, FakeTensor) and tensor.numel() <= _LARGEST:
            setattr(fake, _VALUE, tensor)
        return fake

    def dispatched(self: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        value = _compute(func, args, kwargs, unknown)
        if value is not None and _asks_for_values(func):
            return pytree.tree_map_only(
                torch.Tensor, lambda item: _with_value(self.from_tensor(item, static_shapes=True), item), value
            )
        result = dispatch(self, func, types, args, kwargs)
        if value is None:
            for item in pytree.tree_leaves(result):
                # An operator that writes in place returns its argument, whose value is not known any more.
                if isinstance(item, FakeTensor) and hasattr(item, _VALUE):
                    delattr(item, _VALUE)
            return result
        for item, known in zip(pytree.tree_leaves(result), pytree.tree_leaves(value), strict=True):
            if isinstance(item, FakeTensor) and isinstance(known, torch.Tensor) and item.shape == known.shape:
                setattr(item, _VALUE, known)
        return result

    FakeTensorConverter.from_real_tensor = from_real_tensor  # type: ignore[method-assign,assignment]
    FakeTensorMode.dispatch = dispatched  # type: ignore[method-assign]
    try:
        yield
    finally:
        FakeTensorConverter.from_real_tensor = convert  # type: ignore[method-assign]
        FakeTensorMode.dispatch = dispatch  # type: ignore[method-assign]


def _with_value(fake: FakeTensor, value: torch.Tensor) -> FakeTensor:
    setattr(fake, _VALUE, value)
    return fake


def _asks_for_values(func: Any) -> bool:
    return torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags


def _compute(func: Any, args: Any, kwargs: Any, unknown: set[int]) -> Any:
    """What ``func`` gives for values that are known; None where one is not, or where the operator has effects."""
    if not isinstance(func, torch._ops.OpOverload) or func.namespace not in {"aten", "prims"}:
        return None
    if func._schema.is_mutable or "empty" in func._schema.name or torch.Tag.nondeterministic_seeded in func.tags:
        return None
    leaves, structure = pytree.tree_flatten((args, kwargs))
    known = []
    for leaf in leaves:
        if isinstance(leaf, (torch.SymInt, torch.SymFloat, torch.SymBool)):
            return None
        if isinstance(leaf, torch.Tensor):
            leaf = getattr(leaf, _VALUE, None) if isinstance(leaf, FakeTensor) else leaf
            if leaf is None or id(leaf) in unknown or leaf.is_meta:
                return None
        known.append(leaf)
    call_arguments, named = pytree.tree_unflatten(known, structure)
    try:
        with _disable_current_modes(), torch.no_grad():
            value = func(*call_arguments, **named)
    except Exception:
        return None
    sizes = [item.numel() for item in pytree.tree_leaves(value) if isinstance(item, torch.Tensor)]
    return value if all(size <= _LARGEST for size in sizes) else None
