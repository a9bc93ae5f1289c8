"""Integers that are calculated with: no table and no range is known, so the example is moved, spread and negated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import is_integer, is_picture, two_values

Array = np.ndarray[Any, Any]


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    name = role.name
    example = role.example.astype(np.int64)

    def variant(label: str, title: str, array: Array, *, outside: bool = False) -> Iterator[InputVariant]:
        limits = np.iinfo(role.example.dtype)
        # What does not fit int32 is no sensible size or position, and what leaves the dtype is another number.
        if array.min() < max(limits.min, -(2**31)) or array.max() > min(limits.max, 2**31 - 1):
            return
        if not np.array_equal(array, example):
            yield InputVariant(
                name=label, title=title, array=array.astype(role.example.dtype), edge=True, outside=outside
            )

    yield from variant("moved", f"`{name}` moved by 30", example + 30)
    yield from variant("negated", f"`{name}` negated", -example)
    yield from variant("backwards", f"`{name}` backwards", np.flip(example))
    yield from variant("far", f"`{name}` moved by 5000", example + 5000, outside=True)
    yield from variant("spread", f"`{name}` multiplied by 1000", example * 1000, outside=True)


KIND = Kind(
    name="integer",
    order=30,
    matches=lambda role: (
        is_integer(role)
        and role.example.size > 0
        and not role.indexes
        and not role.counts
        and two_values(role) is None
        and not is_picture(role)
    ),
    variants=_variants,
)
