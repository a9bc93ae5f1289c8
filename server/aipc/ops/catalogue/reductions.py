"""Sums, means, extrema and other reductions over one, several or all dimensions, and cumulative ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from ._case import IMAGE, RANKS, Case, Input, both, case, ints, mask, within, x

_Dim = int | tuple[int, ...]
_REDUCTIONS: tuple[tuple[str, Callable[..., Any], Input], ...] = (
    ("sum", torch.sum, x(*IMAGE)),
    ("mean", torch.mean, x(*IMAGE)),
    ("amax", torch.amax, x(*IMAGE)),
    ("amin", torch.amin, x(*IMAGE)),
    ("var", torch.var, x(*IMAGE, reach=3.0)),
    ("std", torch.std, x(*IMAGE, reach=3.0)),
    ("logsumexp", torch.logsumexp, x(*IMAGE)),
    ("norm", torch.norm, x(*IMAGE)),
)
_DIMS: tuple[_Dim, ...] = (-1, 1, (2, 3), (1, 2, 3))


def cases() -> Iterator[Case]:
    for name, function, spec in _REDUCTIONS:
        for dim in _DIMS[:3] if name == "norm" else _DIMS:
            for keepdim in (False, True):
                names = both(name) + (["torch.special.logsumexp"] if name == "logsumexp" else [])
                yield case(
                    names,
                    lambda a, f=function, d=dim, k=keepdim: f(a, dim=d, keepdim=k),
                    spec,
                    dim=dim,
                    keepdim=keepdim,
                    rank=4,
                )
    for name, function in (("sum", torch.sum), ("mean", torch.mean), ("amax", torch.amax)):
        for rank in (1, 2, 3, 5, 6):
            yield case(
                both(name),
                lambda a, f=function: f(a, dim=-1, keepdim=True),
                x(*RANKS[rank]),
                dim=-1,
                keepdim=True,
                rank=rank,
            )
        yield case(both(name), lambda a, f=function: f(a), x(*IMAGE), dim=None)
    yield from _single_dimension()
    yield from _whole()
    yield from _indices()
    yield from _cumulative()


def _single_dimension() -> Iterator[Case]:
    near_one = within(0.5, 1.5, *IMAGE)
    for dim in (-1, 1):
        yield case(both("prod"), lambda a, d=dim: torch.prod(a, d), near_one, dim=dim)
        yield case(both("all"), lambda a, d=dim: torch.all(a, d), mask(*IMAGE), dim=dim, dtype="bool")
        yield case(both("any"), lambda a, d=dim: torch.any(a, d), mask(*IMAGE), dim=dim, dtype="bool")
        yield case(both("count_nonzero"), lambda a, d=dim: torch.count_nonzero(a, d), x(*IMAGE), dim=dim)
        yield case(both("nansum"), lambda a, d=dim: torch.nansum(a, d), x(*IMAGE), dim=dim)
        yield case(both("median"), lambda a, d=dim: torch.median(a, d).values, x(*IMAGE), dim=dim)
        yield case(both("quantile"), lambda a, d=dim: torch.quantile(a, 0.3, d), x(*IMAGE), dim=dim)
        yield case("torch.var_mean", lambda a, d=dim: torch.var_mean(a, d), x(*IMAGE, reach=3.0), dim=dim)
        yield case("torch.std_mean", lambda a, d=dim: torch.std_mean(a, d), x(*IMAGE, reach=3.0), dim=dim)
        yield case(both("aminmax"), lambda a, d=dim: torch.aminmax(a, dim=d), x(*IMAGE), dim=dim)
        for order in (1, 2, float("inf"), 3):
            yield case(
                "torch.linalg.vector_norm torch.linalg.norm",
                lambda a, d=dim, o=order: torch.linalg.vector_norm(a, o, d),
                x(*IMAGE),
                ord=str(order) if order == float("inf") else order,
                dim=dim,
            )
    yield case(both("norm"), lambda a: torch.norm(a, 1, -1), x(*IMAGE), p=1, dim=-1)
    yield case(both("var"), lambda a: torch.var(a, -1, correction=0), x(*IMAGE, reach=3.0), correction=0, dim=-1)
    yield case(both("var"), lambda a: torch.var(a, -1, unbiased=False), x(*IMAGE, reach=3.0), unbiased=False, dim=-1)
    yield case(both("renorm"), lambda a: torch.renorm(a, 2, 1, 5.0), x(*IMAGE))


def _whole() -> Iterator[Case]:
    for name, function in (
        ("max", torch.max),
        ("min", torch.min),
        ("std", torch.std),
        ("var", torch.var),
        ("median", torch.median),
    ):
        yield case(both(name), lambda a, f=function: f(a), x(*IMAGE, reach=3.0), dim=None)
    yield case(both("prod"), lambda a: torch.prod(a), within(0.9, 1.1, 6, 20), dim=None)
    yield case(both("all"), lambda a: torch.all(a), mask(*IMAGE), dim=None, dtype="bool")
    yield case(both("any"), lambda a: torch.any(a), mask(*IMAGE), dim=None, dtype="bool")
    yield case(both("sum"), lambda a: torch.sum(a, -1), ints(-9, 9, *IMAGE), dim=-1, dtype="int64")
    yield case(both("sum"), lambda a: torch.sum(a, -1), mask(*IMAGE), dim=-1, dtype="bool")
    yield case(
        both("mean"),
        lambda a: torch.mean(a, -1),
        Input((1, 6, 10, 64), low=5000, high=6000, edges=(5000, 6000)),
        dim=-1,
        label="sum beyond fp16",
    )
    yield case(both("allclose"), lambda a, b: a + float(torch.allclose(a, b)), x(*IMAGE), x(*IMAGE))
    yield case(both("equal"), lambda a, b: a + float(torch.equal(a, b)), x(*IMAGE), x(*IMAGE))


def _indices() -> Iterator[Case]:
    for dim in (-1, 1):
        for name, function in (("max", torch.max), ("min", torch.min)):
            for keepdim in (False, True):
                yield case(
                    both(name),
                    lambda a, f=function, d=dim, k=keepdim: tuple(f(a, d, keepdim=k)),
                    within(-3, 3, *IMAGE),
                    dim=dim,
                    keepdim=keepdim,
                )
        for name, index in (("argmax", torch.argmax), ("argmin", torch.argmin)):
            for keepdim in (False, True):
                yield case(
                    both(name),
                    lambda a, f=index, d=dim, k=keepdim: f(a, d, keepdim=k),
                    within(-3, 3, *IMAGE),
                    dim=dim,
                    keepdim=keepdim,
                )
    yield case(both("argmax"), lambda a: torch.argmax(a), within(-3, 3, *IMAGE), dim=None)
    yield case(both("argmin"), lambda a: torch.argmin(a), within(-3, 3, *IMAGE), dim=None)
    for rank in (1, 2, 3, 5, 6):
        yield case(both("argmax"), lambda a: torch.argmax(a, -1), within(-3, 3, *RANKS[rank]), dim=-1, rank=rank)


def _cumulative() -> Iterator[Case]:
    for dim in (-1, 1):
        yield case(both("cumsum"), lambda a, d=dim: torch.cumsum(a, d), x(*IMAGE), dim=dim)
        yield case(both("cumprod"), lambda a, d=dim: torch.cumprod(a, d), within(0.5, 1.5, *IMAGE), dim=dim)
        yield case(both("cummax"), lambda a, d=dim: tuple(torch.cummax(a, d)), x(*IMAGE), dim=dim)
        yield case(both("cummin"), lambda a, d=dim: tuple(torch.cummin(a, d)), x(*IMAGE), dim=dim)
        yield case(both("logcumsumexp"), lambda a, d=dim: torch.logcumsumexp(a, d), x(*IMAGE), dim=dim)
        yield case(both("diff"), lambda a, d=dim: torch.diff(a, dim=d), x(*IMAGE), dim=dim)
    for rank in (1, 2, 3, 5):
        yield case(both("cumsum"), lambda a: torch.cumsum(a, -1), x(*RANKS[rank]), dim=-1, rank=rank)
    yield case(both("cumsum"), lambda a: torch.cumsum(a, -1), ints(0, 3, *IMAGE), dim=-1, dtype="int64")
    yield case(both("cumsum"), lambda a: torch.cumsum(a, -1), mask(*IMAGE), dim=-1, dtype="bool")
    yield case("torch.trapezoid torch.trapz", lambda a: torch.trapezoid(a), x(*IMAGE))
