"""Decompositions of determinants, inverses and solutions of small square matrices into products and sums.

By cofactors, which is exact up to rounding and has no branch; more than four rows would take hundreds of terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten

MAX_ROWS = 4


class _Minors:
    """Determinants of parts of the matrices ``a`` [..., n, n], each computed once; [..., 1, 1] each."""

    def __init__(self, a: Tensor) -> None:
        self.a = a
        self.size = a.shape[-1]
        self.of: Callable[[tuple[int, ...], tuple[int, ...]], Tensor] = lru_cache(maxsize=None)(self._of)

    def _of(self, rows: tuple[int, ...], columns: tuple[int, ...]) -> Tensor:
        first, rest = rows[0], rows[1:]
        total: Tensor | None = None
        for place, column in enumerate(columns):
            term = self.a.narrow(-2, first, 1).narrow(-1, column, 1)
            if rest:
                term = term * self.of(rest, columns[:place] + columns[place + 1 :])
            total = term if total is None else total - term if place % 2 else total + term
        assert total is not None
        return total

    def whole(self) -> Tensor:
        everything = tuple(range(self.size))
        return self.of(everything, everything)

    def adjugate(self) -> Tensor:
        """The matrix of cofactors, transposed: the inverse times the determinant."""
        if self.size == 1:
            return torch.ones_like(self.a)
        everything = range(self.size)

        def row(place: int) -> Iterator[Tensor]:
            for other in everything:
                rows = tuple(item for item in everything if item != other)
                columns = tuple(item for item in everything if item != place)
                minor = self.of(rows, columns)
                yield -minor if (place + other) % 2 else minor

        return torch.cat([torch.cat(list(row(place)), -1) for place in everything], -2)


def _takes(a: Tensor) -> bool:
    return a.is_floating_point() and 1 <= a.shape[-1] <= MAX_ROWS


def _unused(a: Tensor) -> tuple[Tensor, Tensor]:
    """The factors that PyTorch returns beside a result for its derivative, which no public function gives out."""
    return a, torch.zeros(a.shape[:-1], dtype=torch.int32)


def _no_error(a: Tensor) -> Tensor:
    return torch.zeros(a.shape[:-2], dtype=torch.int32)


def determinant(a: Tensor) -> Any:
    """Determinants ``[...]`` of ``[..., n, n]``, and the two results of the operator that nobody reads."""
    if not _takes(a):
        return NotImplemented
    return _Minors(a).whole().squeeze(-1).squeeze(-1), *_unused(a)


def sign_and_logarithm(a: Tensor) -> Any:
    """Sign and logarithm of the determinants ``[...]`` of ``[..., n, n]``, and the results that nobody reads."""
    if not _takes(a):
        return NotImplemented
    value = _Minors(a).whole().squeeze(-1).squeeze(-1)
    return torch.sign(value), torch.log(value.abs()), *_unused(a)


def inverse(a: Tensor, *, check_errors: bool = False) -> Any:
    """Inverses of ``[..., n, n]``, and int32 zeros ``[...]`` for the error that no graph can report."""
    if not _takes(a):
        return NotImplemented
    minors = _Minors(a)
    return minors.adjugate() / minors.whole(), _no_error(a)


def solution(a: Tensor, b: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """``x`` of ``a @ x = b``, or of ``x @ a = b`` unless ``left``.

    Args:
        a: ``[..., n, n]``.
        b: ``[..., n, k]`` or ``[..., n]``; the first result has its shape.
    """
    if not _takes(a):
        return NotImplemented
    minors = _Minors(a)
    # PyTorch takes one right side without its axis as well.
    vector = b.dim() == a.dim() - 1 and b.shape == a.shape[:-1]
    b = b.unsqueeze(-1) if vector else b
    adjugate = minors.adjugate()
    product = (adjugate @ b if left else b @ adjugate) / minors.whole()
    return product.squeeze(-1) if vector else product, *_unused(a), _no_error(a)


def plain_determinant(a: Tensor) -> Any:
    """Determinants ``[...]`` of ``[..., n, n]``."""
    return determinant(a)[0] if _takes(a) else NotImplemented


def logarithm(a: Tensor) -> Any:
    """Logarithms of the determinants ``[...]`` of ``[..., n, n]``."""
    return torch.log(plain_determinant(a)) if _takes(a) else NotImplemented


def plain_inverse(a: Tensor) -> Any:
    """Inverses of ``[..., n, n]``, without the check for singular matrices, which no graph can make."""
    return inverse(a)[0] if _takes(a) else NotImplemented


def plain_solution(a: Tensor, b: Tensor, *, left: bool = True) -> Any:
    """``x`` of ``a @ x = b``, as :func:`solution`, with ``a`` ``[..., n, n]``."""
    return solution(a, b, left=left)[0] if _takes(a) else NotImplemented


TABLE: dict[Any, Callable[..., Any]] = {
    aten.det.default: plain_determinant,
    aten.linalg_det.default: plain_determinant,
    aten.logdet.default: logarithm,
    aten.inverse.default: plain_inverse,
    aten.linalg_inv.default: plain_inverse,
    aten.linalg_solve.default: plain_solution,
    aten._linalg_det.default: determinant,
    aten._linalg_slogdet.default: sign_and_logarithm,
    aten.linalg_inv_ex.default: inverse,
    aten._linalg_solve_ex.default: solution,
}
