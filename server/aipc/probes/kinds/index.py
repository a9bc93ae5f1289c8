"""Indices: token numbers, positions, places in a cache. Their range is that of the table or axis they point into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import is_integer

Array = np.ndarray[Any, Any]


def bounds(role: Role) -> tuple[int, int]:
    """The least and the largest index that every reader takes, both included; (0, -1) where there is none."""
    low, high = 0, np.iinfo(np.int32).max
    for use in role.indexes:
        assert use.size is not None
        low, high = max(low, -use.shift), min(high, use.size - 1 - use.shift)
    limits = np.iinfo(role.example.dtype)
    return max(low, int(limits.min)), min(high, int(limits.max))


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    low, high = bounds(role)
    name, shape, size = role.name, role.example.shape, role.example.size

    def variant(label: str, title: str, array: Array) -> InputVariant:
        return InputVariant(name=label, title=title, array=np.asarray(array).astype(role.example.dtype).reshape(shape))

    if size == 1:
        yield variant("last", f"`{name}` at the end of its range, {high}", np.full(shape, high))
        yield variant(
            "middle", f"`{name}` in the middle of its range, {(low + high) // 2}", np.full(shape, (low + high) // 2)
        )
        yield variant("first", f"`{name}` at the start of its range, {low}", np.full(shape, low))
        return
    if role.scatters:
        # Equal indices leave open which value is written last: the example's distinct ones are moved as a whole.
        width = int(role.example.max()) - int(role.example.min())
        if width <= high - low:
            yield variant(
                "last", f"`{name}` up to the end of its range, {high}", role.example + (high - int(role.example.max()))
            )
            yield variant(
                "first", f"`{name}` from the start of its range, {low}", role.example + (low - int(role.example.min()))
            )
        return
    spread = np.linspace(low, high, size).round().astype(np.int64)
    yield variant("spread", f"`{name}` over its whole range, {low} to {high}", spread)
    yield variant("last", f"`{name}` that is all {high}, the end of its range", np.full(shape, high))
    yield variant("first", f"`{name}` that is all {low}, the start of its range", np.full(shape, low))
    yield variant("backwards", f"`{name}` over its whole range backwards", spread[::-1])


def _draw(role: Role, rng: np.random.Generator) -> Array:
    low, high = bounds(role)
    if role.scatters and role.example.size > 1:
        return role.example
    return np.asarray(rng.integers(low, high, role.example.shape, endpoint=True).astype(role.example.dtype))


def _matches(role: Role) -> bool:
    if not is_integer(role) or not role.indexes or not role.example.size:
        return False
    low, high = bounds(role)
    return low <= high


KIND = Kind(name="index", order=20, matches=_matches, variants=_variants, draw=_draw)
