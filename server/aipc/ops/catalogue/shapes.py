"""Operators that only move or rename data: views, permutations, joins, splits, slices, copies."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from ._case import IMAGE, RANKS, Case, both, case, ints, layer, mask, x

_PERMUTATIONS: dict[int, list[tuple[int, ...]]] = {
    2: [(1, 0)],
    3: [(0, 2, 1), (2, 0, 1), (1, 0, 2)],
    4: [(0, 2, 3, 1), (0, 3, 1, 2), (0, 1, 3, 2), (3, 2, 1, 0)],
    5: [(0, 2, 1, 3, 4), (0, 2, 3, 4, 1), (4, 3, 2, 1, 0), (0, 1, 4, 2, 3)],
    6: [(0, 1, 3, 2, 4, 5), (0, 1, 4, 2, 5, 3), (5, 4, 3, 2, 1, 0)],
}


def cases() -> Iterator[Case]:
    yield from _views()
    yield from _permutations()
    yield from _joins()
    yield from _splits()
    yield from _slices()
    yield from _repeats()
    yield from _no_ops()


def _views() -> Iterator[Case]:
    reshape = [*both("reshape"), "torch.Tensor.view"]
    for shape in ((720,), (60, 12), (6, 10, 12), (1, 6, 5, 2, 12), (1, 6, 5, 2, 6, 2)):
        yield case(reshape, lambda a, s=shape: a.reshape(s), x(*IMAGE), shape=f"rank {len(shape)}", rank=4)
    yield case(reshape, lambda a: a.reshape(1, 60, 12), x(1, 6, 5, 2, 3, 4), shape="rank 3", rank=6)
    yield case(reshape, lambda a: a.reshape(1, -1), ints(0, 9, *IMAGE), shape="rank 2", dtype="int64")
    yield case("torch.Tensor.view", lambda a: a.view(6, -1), x(*IMAGE))
    yield case("T.view_as", lambda a, b: a.view_as(b) + b, x(6, 20), x(12, 10))
    yield case("T.reshape_as", lambda a, b: a.reshape_as(b) + b, x(6, 20), x(12, 10))
    for rank in (2, 3, 4, 5, 6):
        yield case(both("flatten"), lambda a: a.flatten(1), x(*RANKS[rank]), rank=rank)
    yield layer("nn.Flatten", lambda: nn.Flatten(), x(*IMAGE))
    yield case(both("unflatten"), lambda a: a.unflatten(1, (2, 3)), x(*IMAGE), rank=4)
    yield case(both("unflatten"), lambda a: a.unflatten(1, (2, 2)), x(*RANKS[5]), rank=5)
    yield layer("nn.Unflatten", lambda: nn.Unflatten(1, (2, 3)), x(*IMAGE))
    yield case(both("ravel"), torch.ravel, x(*IMAGE))
    for dim in (0, 2, -1):
        yield case(both("unsqueeze"), lambda a, d=dim: a.unsqueeze(d), x(*IMAGE), dim=dim, rank=4)
        yield case(both("squeeze"), lambda a, d=dim: a.squeeze(d), x(1, 6, 1, 10, 1), dim=dim, rank=5)
    yield case(both("unsqueeze"), lambda a: a.unsqueeze(1), x(*RANKS[5]), dim=1, rank=5)
    yield case(both("squeeze"), lambda a: a.squeeze(), x(1, 6, 1, 12), dim=None)
    yield case(both("squeeze"), lambda a: a.squeeze((0, 2)), x(1, 6, 1, 12), dim=(0, 2))
    for rank in (1, 2, 3):
        for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
            yield case(f"torch.{name}", lambda a, n=name: getattr(torch, n)(a) + 1.0, x(*RANKS[rank]), rank=rank)
    for rank in (2, 3, 4, 5):
        whole = RANKS[rank]
        yield case(
            [*both("broadcast_to"), "torch.Tensor.expand"],
            lambda a, s=whole: a.expand(s),
            x(*whole[:-1], 1),
            dim="last",
            rank=rank,
        )
    yield case(
        "T.expand T.broadcast_to torch.broadcast_to",
        lambda a: a.expand(1, 6, 10, 12),
        x(1, 6, 1, 1),
        label="two dimensions",
    )
    yield case(both("broadcast_to"), lambda a: torch.broadcast_to(a, (1, 6, 10, 12)), x(1, 6, 1, 1), label="called")
    yield case("T.expand", lambda a: a.expand(2, 3, 4, 5, 6, 7), x(4, 1, 6, 1), label="to rank 6")
    yield case("T.expand", lambda a: a.expand(-1, -1, 3, -1, -1), x(1, 4, 1, 6, 10), rank=5)
    yield case("T.expand_as", lambda a, b: a.expand_as(b) + b, x(1, 6, 1, 1), x(*IMAGE))
    yield case("torch.broadcast_tensors", lambda a, b: torch.broadcast_tensors(a, b), x(6, 1), x(1, 20))
    yield case("torch.meshgrid", lambda a, b: torch.meshgrid(a, b, indexing="ij"), x(6), x(20), indexing="ij")
    yield case("torch.meshgrid", lambda a, b: torch.meshgrid(a, b, indexing="xy"), x(6), x(20), indexing="xy")


def _permutations() -> Iterator[Case]:
    for rank, orders in _PERMUTATIONS.items():
        for dims in orders:
            yield case(both("permute"), lambda a, d=dims: a.permute(d), x(*RANKS[rank]), dims=dims, rank=rank)
    for rank in (2, 3, 4, 5, 6):
        pairs = [(-1, -2)] + ([(1, 2)] if rank > 3 else []) + ([(0, 1)] if rank > 2 else [])
        for one, two in pairs:
            names = [*both("transpose", "swapaxes", "swapdims")]
            yield case(names, lambda a, i=one, j=two: a.transpose(i, j), x(*RANKS[rank]), dim0=one, dim1=two, rank=rank)
    yield case("torch.t T.t torch.Tensor.T", torch.t, x(6, 20))
    yield case("torch.Tensor.mT torch.adjoint", lambda a: a.mT, x(*IMAGE))
    yield case("torch.Tensor.mH", lambda a: a.mH, x(*IMAGE))
    yield case("torch.Tensor.H", lambda a: a.H, x(6, 20))
    yield case(both("movedim", "moveaxis"), lambda a: a.movedim(1, -1), x(*IMAGE), rank=4)
    yield case(both("movedim", "moveaxis"), lambda a: a.movedim(1, -1), x(*RANKS[5]), rank=5)
    for dims in ((-1,), (2, 3), (1,)):
        yield case(both("flip"), lambda a, d=dims: a.flip(d), x(*IMAGE), dims=dims, rank=4)
    yield case(both("flip"), lambda a: a.flip(-1), x(*RANKS[5]), dims=(-1,), rank=5)
    yield case(both("flip"), lambda a: a.flip(-1), x(*RANKS[6]), dims=(-1,), rank=6)
    yield case(both("fliplr"), torch.fliplr, x(*IMAGE))
    yield case(both("flipud"), torch.flipud, x(6, 20))
    for k in (1, 2, 3):
        yield case(both("rot90"), lambda a, k=k: torch.rot90(a, k, (2, 3)), x(*IMAGE), k=k)
    for shifts, dims in (((2,), (-1,)), ((1, 2), (2, 3)), ((-1,), (1,))):
        yield case(both("roll"), lambda a, s=shifts, d=dims: a.roll(s, d), x(*IMAGE), shifts=shifts, dims=dims)
    for name, module in (("pixel_shuffle", nn.PixelShuffle), ("pixel_unshuffle", nn.PixelUnshuffle)):
        shape = (1, 8, 6, 10)
        title = f"F.{name} nn.{module.__name__} torch.{name}"
        yield layer(title, lambda m=module: m(2), x(*shape), rank=4)
        yield layer(title, lambda m=module: m(2), x(*shape[1:]), rank=3)
        yield layer(title, lambda m=module: m(2), x(2, *shape), rank=5)
    yield case(
        "F.channel_shuffle nn.ChannelShuffle torch.channel_shuffle",
        lambda a: nn.functional.channel_shuffle(a, 2),
        x(*IMAGE),
    )


def _joins() -> Iterator[Case]:
    names = ["torch.cat", "torch.concat", "torch.concatenate"]
    for rank in (1, 2, 3, 4, 5, 6):
        for dim in dict.fromkeys((0, 1 if rank > 1 else 0, -1)):
            yield case(
                names, lambda a, b, d=dim: torch.cat([a, b], d), x(*RANKS[rank]), x(*RANKS[rank]), dim=dim, rank=rank
            )
    yield case("torch.concat", lambda a, b: torch.concat([a, b], 1), x(*IMAGE), x(*IMAGE))
    yield case("torch.concatenate", lambda a, b: torch.concatenate([a, b], 1), x(*IMAGE), x(*IMAGE))
    yield case(names, lambda a: torch.cat([a, a * 0.5, a], 1), x(*IMAGE), dim=1, label="three")
    yield case(names, lambda a: torch.cat([a, a], 1), ints(0, 9, *IMAGE), dim=1, dtype="int64")
    yield case(names, lambda a: torch.cat([a, torch.zeros(1, 2, 10, 12)], 1), x(*IMAGE), dim=1, label="with a constant")
    for rank in (1, 2, 3, 4, 5):
        for dim in (0, -1):
            yield case(
                "torch.stack",
                lambda a, b, d=dim: torch.stack([a, b], d),
                x(*RANKS[rank]),
                x(*RANKS[rank]),
                dim=dim,
                rank=rank,
            )
    for name in ("hstack", "vstack", "dstack", "column_stack", "row_stack"):
        yield case(f"torch.{name}", lambda a, b, n=name: getattr(torch, n)([a, b]), x(6, 20), x(6, 20))
    yield case("torch.block_diag", lambda a, b: torch.block_diag(a, b), x(3, 4), x(5, 6))
    yield case("torch.cartesian_prod", lambda a, b: torch.cartesian_prod(a, b), x(3), x(5))


def _splits() -> Iterator[Case]:
    for dim in (1, -1):
        yield case(both("chunk"), lambda a, d=dim: a.chunk(2, d), x(*IMAGE), dim=dim)
        yield case(both("split"), lambda a, d=dim: a.split(4, d), x(*IMAGE), dim=dim, split_size_or_sections="number")
        yield case(both("unbind"), lambda a, d=dim: a.unbind(d), x(1, 4, 6, 3), dim=dim)
    yield case(
        [*both("split"), "torch.Tensor.split_with_sizes"],
        lambda a: a.split([1, 2, 3], 1),
        x(*IMAGE),
        dim=1,
        split_size_or_sections="list",
    )
    yield case("torch.split_with_sizes T.split_with_sizes", lambda a: torch.split_with_sizes(a, [2, 4], 1), x(*IMAGE))
    yield case("torch.unsafe_split T.unsafe_split", lambda a: torch.unsafe_split(a, 3, 1), x(*IMAGE))
    yield case(both("chunk"), lambda a: a.chunk(2, 1), x(*RANKS[5]), dim=1, rank=5)
    yield case(both("chunk"), lambda a: a.chunk(2, 1), x(*RANKS[6]), dim=1, rank=6)
    yield case(both("tensor_split"), lambda a: a.tensor_split(3, 1), x(*IMAGE))
    yield case(both("hsplit"), lambda a: a.hsplit(2), x(*IMAGE))
    yield case(both("vsplit"), lambda a: a.vsplit(2), x(6, 20))
    yield case(both("dsplit"), lambda a: a.dsplit(2), x(*IMAGE))


def _slices() -> Iterator[Case]:
    item = ["torch.Tensor.__getitem__"]
    for rank in (1, 2, 3, 4, 5, 6):
        yield case(item, lambda a: a[..., 1:-1], x(*RANKS[rank]), index="slice", rank=rank)
    yield case(item, lambda a: a[:, :, ::2, ::2], x(*IMAGE), index="slice with step")
    yield case(item, lambda a: a[:, 2], x(*IMAGE), index="number")
    yield case(item, lambda a: a[..., -1], x(*IMAGE), index="last")
    yield case(item, lambda a: a[:, None, :, None], x(6, 20), index="None")
    yield case(item, lambda a: a[:, [0, 2, 4]], x(*IMAGE), index="list")
    yield case(item, lambda a: a[:, :, [0, 1, 2], [3, 4, 5]], x(*IMAGE), index="two lists")
    yield case(item, lambda a: a[..., 1:-1], ints(0, 9, *IMAGE), index="slice", dtype="int64")
    yield case(item, lambda a: a[..., 1:-1], mask(*IMAGE), index="slice", dtype="bool")
    yield case(both("narrow"), lambda a: a.narrow(1, 1, 3), x(*IMAGE))
    yield case(both("narrow_copy"), lambda a: torch.narrow_copy(a, 1, 1, 3), x(*IMAGE))
    yield case(both("select"), lambda a: a.select(1, 2), x(*IMAGE))
    for offset in (0, 1):
        yield case(
            [*both("diagonal"), "torch.linalg.diagonal"],
            lambda a, o=offset: a.diagonal(o, 2, 3),
            x(*IMAGE),
            offset=offset,
        )
    yield case("torch.diagonal_copy", lambda a: torch.diagonal_copy(a, 0, 2, 3), x(*IMAGE))
    yield case(both("diag"), torch.diag, x(12, 12), rank=2)
    yield case(both("diag"), torch.diag, x(12), rank=1)
    yield case(both("diag_embed"), torch.diag_embed, x(6, 12))
    yield case(both("diagflat"), torch.diagflat, x(12))
    for name, function in (("tril", torch.tril), ("triu", torch.triu)):
        for diagonal in (0, 1, -1):
            yield case(both(name), lambda a, f=function, d=diagonal: f(a, d), x(*IMAGE), diagonal=diagonal)
    for step in (1, 2, 3):
        yield case("T.unfold", lambda a, s=step: a.unfold(-1, 3, s), x(*IMAGE), step=step)
    yield case(both("as_strided"), lambda a: torch.as_strided(a, (5, 4), (20, 2)), x(6, 20))
    yield case(both("select_scatter"), lambda a, b: torch.select_scatter(a, b, 1, 2), x(*IMAGE), x(1, 10, 12))
    yield case(both("slice_scatter"), lambda a, b: torch.slice_scatter(a, b, 1, 1, 3), x(*IMAGE), x(1, 2, 10, 12))
    yield case(both("diagonal_scatter"), lambda a, b: torch.diagonal_scatter(a, b), x(12, 12), x(12))
    yield case("T.__setitem__", _assign_slice, x(*IMAGE), x(1, 2, 10, 12), index="slice")
    yield case("T.__setitem__", _assign_number, x(*IMAGE), index="number")


def _assign_slice(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    a = a.clone()
    a[:, 1:3] = b
    return a


def _assign_number(a: torch.Tensor) -> torch.Tensor:
    a = a.clone()
    a[:, 2] = 1.5
    return a


def _repeats() -> Iterator[Case]:
    yield case("T.repeat", lambda a: a.repeat(1, 2, 1, 3), x(*IMAGE), rank=4)
    yield case("T.repeat", lambda a: a.repeat(2, 1, 1, 1, 1), x(*IMAGE), label="adds a dimension")
    yield case("T.repeat", lambda a: a.repeat(1, 2, 1, 1, 1), x(*RANKS[5]), rank=5)
    yield case(both("tile"), lambda a: a.tile((1, 2, 1, 1)), x(*IMAGE))
    for dim in (1, -1):
        yield case(
            both("repeat_interleave"), lambda a, d=dim: a.repeat_interleave(2, d), x(*IMAGE), dim=dim, repeats="number"
        )
    yield case(
        both("repeat_interleave"),
        lambda a: a.repeat_interleave(torch.tensor([1, 2, 1, 3, 1, 2]), 1),
        x(*IMAGE),
        dim=1,
        repeats="tensor",
    )


def _no_ops() -> Iterator[Case]:
    yield case(both("clone"), torch.clone, x(*IMAGE))
    yield case("T.contiguous", lambda a: a.transpose(1, 2).contiguous(), x(*IMAGE))
    yield case(both("detach"), lambda a: a.detach() * 2.0, x(*IMAGE))
    yield layer("nn.Identity", lambda: nn.Identity(), x(*IMAGE))
    yield layer("nn.Dropout F.dropout torch.dropout", lambda: nn.Dropout(), x(*IMAGE), training=False)
    yield layer("nn.Dropout2d F.dropout2d", lambda: nn.Dropout2d(), x(*IMAGE), training=False)
    yield layer("nn.AlphaDropout F.alpha_dropout", lambda: nn.AlphaDropout(), x(*IMAGE), training=False)
    yield case("T.numel torch.numel", lambda a: a / a.numel(), x(*IMAGE))
    yield case("T.size", lambda a: a.reshape(a.size(1), -1), x(*IMAGE))
    yield case(
        "T.to", lambda a: a.to(memory_format=torch.channels_last) * 2.0, x(*IMAGE), memory_format="channels_last"
    )
    yield case("T.copy_", lambda a, b: a.clone().copy_(b), x(*IMAGE), x(*IMAGE))
    yield case("torch.resolve_conj torch.conj T.conj", lambda a: torch.resolve_conj(torch.conj(a)), x(*IMAGE))
    yield case("torch.resolve_neg", lambda a: torch.resolve_neg(a) + 1.0, x(*IMAGE))
    yield case("torch.permute_copy", lambda a: torch.permute_copy(a, (0, 2, 3, 1)), x(*IMAGE))
    yield case("torch.view_copy", lambda a: torch.view_copy(a, (6, 120)), x(*IMAGE))
    yield case("torch.real T.real", lambda a: torch.real(a) + 1.0, x(*IMAGE))
