"""Decompositions of calls whose other forms have an ONNX form: other ranks, other defaults, other names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten


def largest(x: Tensor, dim: Sequence[int] = (), keepdim: bool = False) -> Any:
    """The maximum over all axes, given as none: a scalar, or ones for the shape with ``keepdim``."""
    return NotImplemented if len(dim) or not x.dim() else aten.amax.default(x, list(range(x.dim())), keepdim)


def smallest(x: Tensor, dim: Sequence[int] = (), keepdim: bool = False) -> Any:
    """The minimum over all axes, given as none: a scalar, or ones for the shape with ``keepdim``."""
    return NotImplemented if len(dim) or not x.dim() else aten.amin.default(x, list(range(x.dim())), keepdim)


def median_of_elements(x: Tensor) -> Tensor:
    """The lower median of all elements, a scalar."""
    count = x.numel()
    values, _ = torch.topk(x.reshape(count), (count + 1) // 2, 0, largest=False, sorted=True)
    return values.narrow(0, (count + 1) // 2 - 1, 1).squeeze(0)


def sort_stable(x: Tensor, *, stable: bool | None = False, dim: int = -1, descending: bool = False) -> Any:
    """Values and int64 indices of ``x``, sorted along ``dim``.

    ONNX's TopK puts the lower index first among equal values: what stable means.
    """
    return torch.topk(x, x.shape[dim] if x.dim() else 1, dim, largest=descending, sorted=True)


def fmax(x: Tensor, y: Tensor) -> Tensor:
    """The maximum that takes the other side where one is no number; both broadcast to one shape."""
    return torch.where(x.isnan(), y, torch.where(y.isnan(), x, torch.maximum(x, y)))


def fmin(x: Tensor, y: Tensor) -> Tensor:
    """The minimum that takes the other side where one is no number; both broadcast to one shape."""
    return torch.where(x.isnan(), y, torch.where(y.isnan(), x, torch.minimum(x, y)))


def integer_division(x: Tensor, y: Tensor | int, *, rounding_mode: str | None = None) -> Any:
    """Rounded division of integers in integers: the exporter goes through fp32, which holds them to 2^24 only."""
    dtypes = [x.dtype, y.dtype if isinstance(y, Tensor) else torch.int64 if isinstance(y, int) else torch.float32]
    if rounding_mode is None or any(item.is_floating_point or item.is_complex for item in dtypes):
        return NotImplemented
    quotient = torch.floor_divide(x, y)
    if rounding_mode == "floor":
        return quotient
    # One more where the floor lies below a quotient of two signs.
    inexact = (x != quotient * y) & ((x < 0) != (y < 0))
    return quotient + inexact.to(quotient.dtype)


def scatter_reduced(x: Tensor, dim: int, index: Tensor, src: Tensor, *, reduce: str) -> Any:
    """The older spelling of ``scatter_reduce``; the result has the shape of ``x``, ``index`` is int64."""
    return aten.scatter_reduce.two(x, dim, index, src, {"add": "sum", "multiply": "prod"}[reduce])


def indexed(x: Tensor, indices: Sequence[Tensor | None]) -> Any:
    """Elements of ``x`` by int64 indices: the exporter makes an invalid graph of int32."""
    if not any(item is not None and item.dtype == torch.int32 for item in indices):
        return NotImplemented
    return aten.index.Tensor(
        x, [item.long() if item is not None and item.dtype == torch.int32 else item for item in indices]
    )


def convolution_3d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1, 1, 1),
    padding: Any = (0, 0, 0),
    dilation: Sequence[int] = (1, 1, 1),
    groups: int = 1,
) -> Any:
    """Convolve ``[N, C, D, H, W]`` with ``[O, C / groups, ...]`` and a bias of zeros.

    Where there is no bias, onnxscript 0.7 makes one of two axes, which nothing takes.
    """
    if bias is not None or isinstance(padding, str):
        return NotImplemented
    zeros = torch.zeros(weight.shape[0], dtype=x.dtype)
    return aten.conv3d.default(x, weight, zeros, stride, padding, dilation, groups)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """``hstack``: along the second axis; of shape ``[n]`` along the only one."""
    tensors = [item.reshape(1) if item.dim() == 0 else item for item in tensors]
    return torch.cat(tensors, 0 if tensors[0].dim() == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """``vstack``: along the first axis; a vector ``[n]`` is a row ``[1, n]``."""
    return torch.cat([item.reshape(1, -1) if item.dim() < 2 else item for item in tensors], 0)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """``dstack``: along the third axis; a vector ``[n]`` is ``[1, n, 1]``, a matrix ``[m, n, 1]``."""
    return torch.cat([_of_depth(item) for item in tensors], 2)


def _of_depth(x: Tensor) -> Tensor:
    return x.reshape(1, -1, 1) if x.dim() < 2 else x.unsqueeze(-1) if x.dim() == 2 else x


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """``column_stack``: along the second axis; a vector ``[n]`` is a column ``[n, 1]``."""
    return torch.cat([item.reshape(-1, 1) if item.dim() < 2 else item for item in tensors], 1)


TABLE: dict[Any, Callable[..., Any]] = {
    aten.index.Tensor: indexed,
    aten.conv3d.default: convolution_3d,
    aten.hstack.default: hstack,
    aten.vstack.default: vstack,
    aten.dstack.default: dstack,
    aten.column_stack.default: column_stack,
    aten.amax.default: largest,
    aten.amin.default: smallest,
    aten.median.default: median_of_elements,
    aten.sort.stable: sort_stable,
    aten.fmax.default: fmax,
    aten.fmin.default: fmin,
    aten.scatter.reduce: scatter_reduced,
    aten.div.Tensor_mode: integer_division,
    aten.div.Scalar_mode: integer_division,
}
