"""Decompositions of operators on complex numbers into operators on pairs of real numbers.

The exporter keeps a complex tensor as a real one with a last axis of two. It has forms of some operators; here are
those that move numbers, and arithmetic. Each leaves real tensors to the exporter's own form.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten
_complex = torch.view_as_complex


def _pairs(x: Tensor) -> Tensor:
    """[...] complex -> [..., 2] real."""
    if not x.is_conj():
        return torch.view_as_real(x)
    # PyTorch conjugates by a mark on the tensor, which a view of pairs does not have.
    pairs = torch.view_as_real(x.conj())
    return torch.stack((pairs.select(-1, 0), -pairs.select(-1, 1)), -1)


def _is_complex(*values: Any) -> bool:
    return any(
        isinstance(value, complex)
        or (isinstance(value, Tensor) and value.is_complex())
        or (isinstance(value, (list, tuple)) and _is_complex(*value))
        for value in values
    )


def _moved(operator: Any, *axes: int) -> Callable[..., Any]:
    """An operator that moves numbers, on pairs. ``axes``: places of the arguments that name axes."""
    names = [argument.name for argument in operator._schema.arguments]

    def decomposed(*args: Any, **kwargs: Any) -> Any:
        if not _is_complex(*args):
            return NotImplemented
        kwargs = {**dict(zip(names, args, strict=False)), **kwargs}
        for place in axes:
            kwargs[names[place]] = _axis(kwargs.get(names[place], 0))
        kwargs = {key: _as_pairs(value) for key, value in kwargs.items()}
        result = operator(**kwargs)
        return [_complex(item) for item in result] if isinstance(result, (list, tuple)) else _complex(result)

    return functools.wraps(operator, assigned=())(decomposed)


def _axis(axis: Any) -> Any:
    if isinstance(axis, (list, tuple)):
        return [_axis(item) for item in axis]
    return axis - 1 if axis < 0 else axis


def _as_pairs(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_as_pairs(item) for item in value]
    return _pairs(value) if isinstance(value, Tensor) and value.is_complex() else value


def expand(x: Tensor, size: Sequence[int], *, implicit: bool = False) -> Any:
    """Complex ``x`` broadcast to the shape ``size``."""
    return _complex(_pairs(x).expand([*size, 2])) if x.is_complex() else NotImplemented


def repeat(x: Tensor, repeats: Sequence[int]) -> Any:
    """Complex ``x`` tiled ``repeats`` times along each axis, as by ``torch.Tensor.repeat``; any shape."""
    return _complex(_pairs(x).repeat([*repeats, 1])) if x.is_complex() else NotImplemented


def pad(x: Tensor, pad: Sequence[int], value: Any = 0) -> Any:
    """Complex ``x`` of any shape, padded with zeros; ``pad`` counts from the last axis, as for ``constant_pad_nd``."""
    if not x.is_complex() or value != 0:
        return NotImplemented
    return _complex(aten.constant_pad_nd.default(_pairs(x), [0, 0, *pad], 0))


def copy(x: Tensor, source: Tensor, non_blocking: bool = False) -> Any:
    """Complex ``source``, broadcast to the shape of ``x``."""
    if not x.is_complex() or not source.is_complex():
        return NotImplemented
    return expand(source, x.shape) if source.shape != x.shape else source.clone()


def full(size: Sequence[int], value: Any, *, dtype: Any = None, **options: Any) -> Any:
    if not (dtype.is_complex if dtype is not None else isinstance(value, complex)):
        return NotImplemented
    number = complex(value)
    return torch.complex(torch.full(list(size), number.real), torch.full(list(size), number.imag))


def zeros(size: Sequence[int], *, dtype: Any = None, **options: Any) -> Any:
    return full(size, 0, dtype=dtype) if dtype is not None else NotImplemented


def ones(size: Sequence[int], *, dtype: Any = None, **options: Any) -> Any:
    return full(size, 1, dtype=dtype) if dtype is not None else NotImplemented


def zeros_like(x: Tensor, *, dtype: Any = None, **options: Any) -> Any:
    """Complex zeros of the shape of ``x``."""
    return full(x.shape, 0, dtype=dtype or x.dtype)


def ones_like(x: Tensor, *, dtype: Any = None, **options: Any) -> Any:
    """Complex ones of the shape of ``x``."""
    return full(x.shape, 1, dtype=dtype or x.dtype)


def new_zeros(x: Tensor, size: Sequence[int], *, dtype: Any = None, **options: Any) -> Any:
    """Complex zeros of the shape ``size``, with the dtype of ``x`` unless another is given."""
    return full(size, 0, dtype=dtype or x.dtype)


def where(condition: Tensor, x: Tensor, y: Tensor) -> Any:
    """Complex ``x`` where the boolean ``condition`` holds, ``y`` elsewhere; the three broadcast to one shape."""
    if not (x.is_complex() and y.is_complex()):
        return NotImplemented
    return _complex(torch.where(condition.unsqueeze(-1), _pairs(x), _pairs(y)))


def select(x: Tensor, dim: int, index: int) -> Any:
    """Entry ``index`` of complex ``x`` along ``dim``; the shape loses that axis."""
    return _complex(_pairs(x).select(_axis(dim), index)) if x.is_complex() else NotImplemented


def _parts(value: Any) -> tuple[Any, Any]:
    """Real and imaginary part of a tensor or number; an imaginary part that is 0 is the number 0."""
    if isinstance(value, Tensor):
        if not value.is_complex():
            return value, 0
        pairs = _pairs(value)
        return pairs.select(-1, 0), pairs.select(-1, 1)
    return (value.real, value.imag) if isinstance(value, complex) else (value, 0)


def _is_mixed(x: Any, y: Any) -> bool:
    """Whether one of two is complex and not both are complex tensors, which the exporter multiplies itself."""
    both = all(isinstance(item, Tensor) and item.is_complex() for item in (x, y))
    return _is_complex(x, y) and not both


def _joined(real: Any, imaginary: Any) -> Tensor:
    """A complex tensor of two parts; a part that is a number is spread."""
    shape = real if isinstance(real, Tensor) else imaginary
    real = real if isinstance(real, Tensor) else torch.full_like(shape, real)
    imaginary = imaginary if isinstance(imaginary, Tensor) else torch.full_like(shape, imaginary)
    real, imaginary = torch.broadcast_tensors(real, imaginary)  # type: ignore[no-untyped-call]
    return torch.complex(real.float(), imaginary.float())


def multiply(x: Any, y: Any) -> Any:
    if not _is_mixed(x, y):
        return NotImplemented
    (a, b), (c, d) = _parts(x), _parts(y)
    return _joined(_sum(_product(a, c), _product(b, d), -1), _sum(_product(a, d), _product(b, c), 1))


def _product(x: Any, y: Any) -> Any:
    return 0 if any(not isinstance(item, Tensor) and item == 0 for item in (x, y)) else x * y


def _sum(x: Any, y: Any, sign: int) -> Any:
    if not isinstance(y, Tensor) and y == 0:
        return x
    return sign * y if not isinstance(x, Tensor) and x == 0 else x + sign * y


def divide(x: Any, y: Any) -> Any:
    if not _is_mixed(x, y):
        return NotImplemented
    c, d = _parts(y)
    if not isinstance(d, Tensor) and d == 0:
        a, b = _parts(x)
        return _joined(a / c, 0 if not isinstance(b, Tensor) and b == 0 else b / c)
    size = c * c + d * d
    return torch.mul(x, complex(c / size, -d / size)) if isinstance(y, complex) else x * (y.conj() / size)


def add(x: Any, y: Any, *, alpha: Any = 1) -> Any:
    if not _is_mixed(x, y) or isinstance(alpha, complex):
        return NotImplemented
    (a, b), (c, d) = _parts(x), _parts(y)
    return _joined(_sum(a, c, alpha), _sum(b, d, alpha))


def subtract(x: Any, y: Any, *, alpha: Any = 1) -> Any:
    return add(x, y, alpha=-alpha)


def exponential(x: Tensor) -> Any:
    """e to the power of each complex element; the shape of ``x``."""
    if not x.is_complex():
        return NotImplemented
    real, imaginary = _parts(x)
    return torch.complex(real.exp() * imaginary.cos(), real.exp() * imaginary.sin())


def power(x: Tensor, exponent: Any) -> Any:
    """Each complex element to the power of a real number; the shape of ``x``."""
    if not x.is_complex() or isinstance(exponent, complex):
        return NotImplemented
    if exponent in {1, 2, 3, 4}:
        return functools.reduce(torch.mul, [x] * int(exponent))
    return torch.polar(x.abs() ** exponent, x.angle() * exponent)


def einsum(equation: str, operands: Sequence[Tensor], path: Any = None) -> Any:
    """Einsum of two complex operands, whose shapes ``equation`` names: the four real products."""
    if len(operands) != 2 or not _is_complex(*operands):
        return NotImplemented
    (a, b), (c, d) = map(_parts, operands)

    def product(x: Any, y: Any) -> Any:
        return torch.einsum(equation, x, y) if isinstance(x, Tensor) and isinstance(y, Tensor) else 0

    return _joined(_sum(product(a, c), product(b, d), -1), _sum(product(a, d), product(b, c), 1))


def matrix_product(x: Tensor, y: Tensor) -> Any:
    """Complex ``[..., M, K] @ [..., K, N]``, as four real products."""
    if not _is_complex(x, y):
        return NotImplemented
    (a, b), (c, d) = _parts(x), _parts(y)

    def product(x: Any, y: Any) -> Any:
        return x @ y if isinstance(x, Tensor) and isinstance(y, Tensor) else 0

    return _joined(_sum(product(a, c), product(b, d), -1), _sum(product(a, d), product(b, c), 1))


TABLE: dict[Any, Callable[..., Any]] = {
    aten.unsqueeze.default: _moved(aten.unsqueeze.default, 1),
    aten.squeeze.dims: _moved(aten.squeeze.dims, 1),
    aten.index_select.default: _moved(aten.index_select.default, 1),
    aten.slice_scatter.default: _moved(aten.slice_scatter.default, 2),
    aten.select_scatter.default: _moved(aten.select_scatter.default, 2),
    aten.split_with_sizes.default: _moved(aten.split_with_sizes.default, 2),
    aten.unbind.int: _moved(aten.unbind.int, 1),
    aten.select.int: select,
    aten.expand.default: expand,
    aten.repeat.default: repeat,
    aten.constant_pad_nd.default: pad,
    aten.copy.default: copy,
    aten.full.default: full,
    aten.zeros.default: zeros,
    aten.ones.default: ones,
    aten.zeros_like.default: zeros_like,
    aten.ones_like.default: ones_like,
    aten.new_zeros.default: new_zeros,
    aten.where.self: where,
    aten.mul.Tensor: multiply,
    aten.div.Tensor: divide,
    aten.add.Tensor: add,
    aten.sub.Tensor: subtract,
    aten.exp.default: exponential,
    aten.pow.Tensor_Scalar: power,
    aten.einsum.default: einsum,
    aten.bmm.default: matrix_product,
    aten.mm.default: matrix_product,
}
