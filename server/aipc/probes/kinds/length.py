"""Lengths and positions: integers that the graph compares with 0, 1, 2 ..., the steps of a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import is_integer

Array = np.ndarray[Any, Any]


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    full = _full(role)
    name, shape = role.name, role.example.shape

    def variant(label: str, title: str, values: Any, *, edge: bool = False) -> InputVariant:
        array = np.broadcast_to(np.asarray(values), shape).astype(role.example.dtype)
        return InputVariant(name=label, title=title, array=np.array(array), edge=edge)

    if role.example.size > 1:
        several = np.linspace(1, full, role.example.size).round().astype(np.int64).reshape(shape)
        yield variant("several", f"`{name}` of different lengths, 1 to {full}", several)
    yield variant("one", f"`{name}` of 1", 1)
    yield variant("half", f"`{name}` of {max(1, full // 2)}, half of what fits", max(1, full // 2))
    yield variant("full", f"`{name}` of {full}, all that fits", full)
    yield variant("none", f"`{name}` of 0", 0, edge=True)


def _full(role: Role) -> int:
    # A position that is compared as ``steps <= position`` ends one before a length that is compared as ``steps < n``.
    return min((use.size or 1) - use.shift - (use.operator in {"LessOrEqual", "GreaterOrEqual"}) for use in role.counts)


KIND = Kind(
    name="length",
    order=15,
    matches=lambda role: is_integer(role) and bool(role.counts) and not role.indexes and _full(role) > 0,
    variants=_variants,
    draw=lambda role, rng: rng.integers(1, _full(role), role.example.shape, endpoint=True).astype(role.example.dtype),
)
