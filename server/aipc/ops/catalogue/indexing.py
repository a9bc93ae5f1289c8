"""Gathers, scatters, embeddings, masks and what depends on values."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import nn

from ._case import IMAGE, RANKS, Case, both, case, ints, layer, mask, x


def cases() -> Iterator[Case]:
    yield from _gathers()
    yield from _embeddings()
    yield from _scatters()
    yield from _masks()
    yield from _values()


def _gathers() -> Iterator[Case]:
    for rank in (1, 2, 3, 4, 5, 6):
        shape = RANKS[rank]
        for dim in dict.fromkeys((-1, 1 if rank > 1 else -1)):
            size = shape[dim]
            yield case(
                both("gather"), lambda a, i, d=dim: a.gather(d, i), x(*shape), ints(0, size, *shape), dim=dim, rank=rank
            )
            yield case(
                both("index_select"),
                lambda a, i, d=dim: a.index_select(d, i),
                x(*shape),
                ints(0, size, 5),
                dim=dim,
                rank=rank,
            )
    for dtype in ("int32", "int64"):
        yield case(
            "T.__getitem__",
            lambda a, i: a[i],
            x(24, 6),
            ints(0, 24, 5, dtype=dtype),
            index="tensor",
            dtype=dtype,
            rank=2,
        )
        yield case(
            "T.__getitem__",
            lambda a, i: a[:, i],
            x(*IMAGE),
            ints(0, 6, 5, dtype=dtype),
            index="tensor, dim 1",
            dtype=dtype,
        )
    yield case("T.__getitem__", lambda a, i: a[i], x(24, 6), ints(-24, 24, 5), index="negative tensor")
    yield case("T.__getitem__", lambda a, i, j: a[i, j], x(24, 6), ints(0, 24, 5), ints(0, 6, 5), index="two tensors")
    yield case(
        "T.__getitem__",
        lambda a, i, j: a[i, j],
        x(4, 6, 20),
        ints(0, 4, 30),
        ints(0, 6, 30),
        index="two tensors",
        rank=3,
    )
    yield case(
        "T.__getitem__",
        lambda a, i, j: a[:, :, i, j],
        x(*IMAGE),
        ints(0, 10, 7),
        ints(0, 12, 7),
        index="two tensors",
        rank=4,
    )
    yield case("T.__getitem__", lambda a, i: a[i], x(4, 6, 20), ints(0, 4, 30), index="tensor", rank=3)
    yield case("T.__getitem__", lambda a, i: a[i], x(24, 6), ints(0, 24, 3, 5), index="matrix")
    yield case("torch.take T.take", lambda a, i: torch.take(a, i), x(*IMAGE), ints(0, 720, 9))
    yield case(both("take_along_dim"), lambda a, i: torch.take_along_dim(a, i, 1), x(*IMAGE), ints(0, 6, *IMAGE))
    yield case("torch.unravel_index", lambda i: torch.unravel_index(i, (6, 20)), ints(0, 120, 9))


def _embeddings() -> Iterator[Case]:
    for dtype in ("int32", "int64"):
        yield layer(
            "nn.Embedding F.embedding", lambda: nn.Embedding(50, 16), ints(0, 50, 1, 12, dtype=dtype), dtype=dtype
        )
    yield layer(
        "nn.Embedding F.embedding", lambda: nn.Embedding(50, 16, padding_idx=0), ints(0, 50, 1, 12), padding_idx=0
    )
    for mode in ("sum", "mean", "max"):
        yield layer(
            "nn.EmbeddingBag F.embedding_bag",
            lambda m=mode: nn.EmbeddingBag(50, 16, mode=m),
            ints(0, 50, 3, 12),
            mode=mode,
        )
    yield case("F.one_hot", lambda i: F.one_hot(i, 10), ints(0, 10, 2, 12))
    yield case("torch.bucketize", lambda a: torch.bucketize(a, torch.linspace(-2, 2, 9)), x(*IMAGE))
    yield case("torch.searchsorted", lambda a: torch.searchsorted(torch.linspace(-2, 2, 9), a), x(6, 20))


def _scatters() -> Iterator[Case]:
    shape, size = (6, 20), 20
    index = torch.arange(120).reshape(6, 20).flip(1) % size
    for rank in (2, 4):
        data = (6, 20) if rank == 2 else (1, 2, 6, 20)
        every, few = index.expand(data), index.expand(data) % 7
        yield case(
            both("scatter"),
            lambda a, b, i=every: a.scatter(-1, i, b),
            x(*data),
            x(*data),
            dim=-1,
            reduce=None,
            rank=rank,
        )
        yield case(
            both("scatter_add"),
            lambda a, b, i=few: a.scatter_add(-1, i, b),
            x(*data),
            x(*data),
            dim=-1,
            rank=rank,
        )
    yield case(
        both("scatter"), lambda a, i: a.scatter(-1, i, 1.5), x(*shape), ints(0, size, 6, 5), dim=-1, src="number"
    )
    yield case(
        both("scatter"),
        lambda a, i: torch.zeros(6, 20).scatter(-1, i, a),
        x(6, 1),
        ints(0, size, 6, 1),
        dim=-1,
        src="tensor",
    )
    for how in ("sum", "prod", "mean", "amax", "amin"):
        yield case(
            both("scatter_reduce"),
            lambda a, b, h=how: a.scatter_reduce(-1, index % 7, b, reduce=h),
            x(*shape),
            x(*shape),
            reduce=how,
            dim=-1,
        )
    for how in ("add", "multiply"):
        yield case(
            both("scatter"),
            lambda a, b, h=how: a.scatter(-1, index, b, reduce=h),
            x(*shape),
            x(*shape),
            reduce=how,
            dim=-1,
        )
    rows = torch.tensor([1, 4, 2])
    yield case(both("index_put"), lambda a, b: a.index_put((rows,), b), x(*shape), x(3, 20), accumulate=False)
    yield case(
        both("index_put"), lambda a, b: a.index_put((rows,), b, accumulate=True), x(*shape), x(3, 20), accumulate=True
    )
    yield case(both("index_add"), lambda a, b: a.index_add(0, rows, b), x(*shape), x(3, 20))
    yield case(both("index_copy"), lambda a, b: a.index_copy(0, rows, b), x(*shape), x(3, 20))
    yield case(both("index_fill"), lambda a: a.index_fill(0, rows, 1.5), x(*shape))
    yield case(both("index_reduce"), lambda a, b: a.index_reduce(0, rows, b, "amax"), x(*shape), x(3, 20))
    yield case("T.__setitem__", _assign_rows, x(*shape), x(3, 20), index="tensor")
    yield case("T.__setitem__", _assign_masked, x(*shape), index="mask")


def _assign_rows(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    a = a.clone()
    a[torch.tensor([1, 4, 2])] = b
    return a


def _assign_masked(a: torch.Tensor) -> torch.Tensor:
    a = a.clone()
    a[a < 0] = 0.5
    return a


def _masks() -> Iterator[Case]:
    yield case(both("masked_select"), lambda a, m: a.masked_select(m), x(6, 20), mask(6, 20))
    yield case("T.__getitem__", lambda a, m: a[m], x(6, 20), mask(6, 20), index="mask")
    yield case(both("masked_scatter"), lambda a, m, b: a.masked_scatter(m, b), x(6, 20), mask(6, 20), x(120))


def _values() -> Iterator[Case]:
    yield case(both("nonzero"), torch.nonzero, x(6, 20))
    yield case("torch.argwhere T.argwhere", torch.argwhere, x(6, 20))
    yield case("torch.where", lambda m: torch.where(m), mask(6, 20), label="condition only")
    yield case(both("unique"), torch.unique, ints(0, 9, 24))
    yield case(both("unique_consecutive"), torch.unique_consecutive, ints(0, 9, 24))
    yield case("torch.unique T.unique", lambda a: torch.unique(a, dim=0), ints(0, 3, 6, 2), dim=0)
    yield case(both("bincount"), lambda a: torch.bincount(a, minlength=10), ints(0, 10, 24))
    yield case(both("histc"), lambda a: torch.histc(a, 10, -2, 2), x(24))
    yield case("torch.Tensor.item", lambda a: a * a.sum().item(), x(6))
    yield case("torch.is_nonzero", lambda a: a * float(torch.is_nonzero(a.sum())), x(6))
