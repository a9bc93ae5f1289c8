"""Sorting, the largest elements, and order statistics."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ._case import IMAGE, RANKS, Case, both, case, ints, x


def cases() -> Iterator[Case]:
    for dim in (-1, 1):
        for largest in (True, False):
            yield case(
                both("topk"),
                lambda a, d=dim, g=largest: tuple(a.topk(3, d, g)),
                x(*IMAGE),
                dim=dim,
                largest=largest,
                k=3,
            )
        for descending in (False, True):
            yield case(
                both("sort"),
                lambda a, d=dim, g=descending: tuple(a.sort(d, g)),
                x(*IMAGE),
                dim=dim,
                descending=descending,
            )
        yield case(both("argsort"), lambda a, d=dim: a.argsort(d), x(*IMAGE), dim=dim)
        yield case(both("kthvalue"), lambda a, d=dim: tuple(a.kthvalue(3, d)), x(*IMAGE), dim=dim)
        yield case(both("mode"), lambda a, d=dim: tuple(a.mode(d)), ints(0, 3, *IMAGE), dim=dim)
    for rank in (1, 2, 3, 5, 6):
        yield case(both("topk"), lambda a: tuple(a.topk(3)), x(*RANKS[rank]), dim=-1, rank=rank, k=3)
    yield case(both("topk"), lambda a: tuple(a.topk(300)), x(1, 1000), k=300, label="of 1000")
    yield case(both("topk"), lambda a: tuple(a.topk(3, sorted=False)), x(*IMAGE), sorted=False)
    yield case(both("sort"), lambda a: tuple(torch.sort(a, stable=True)), x(*IMAGE), stable=True)
    yield case(both("msort"), torch.msort, x(6, 20))
    yield case(both("nanmedian"), torch.nanmedian, x(6, 20))
    yield case(both("nanquantile"), lambda a: torch.nanquantile(a, 0.5), x(6, 20))
    yield case("torch.isin", lambda a: torch.isin(a, torch.tensor([1, 3])), ints(0, 5, 6, 20))
