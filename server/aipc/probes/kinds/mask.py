"""Masks: booleans, 0 and 1, or 0 and a large negative number that is added to scores. Rows run along the last axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import two_values

Array = np.ndarray[Any, Any]


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    values = two_values(role)
    assert values is not None
    off, on = _as_text(values)
    name = role.name

    def variant(label: str, title: str, keep: Array, *, edge: bool = False) -> InputVariant:
        return InputVariant(name=label, title=title, array=_array(role, keep), edge=edge)

    shape = role.example.shape
    full = np.ones(shape, bool)
    if not shape or shape[-1] == 1:
        yield variant("on", f"`{name}` that is all {on}", full)
        yield variant("off", f"`{name}` that is all {off}", ~full, edge=True)
        return
    rows = full.reshape(-1, shape[-1])
    empty = rows.copy()
    empty[-1] = False
    if len(rows) > 1:
        yield variant("empty-row", f"a row of `{name}` that is all {off}", empty.reshape(shape), edge=True)
    lengths = np.linspace(1, shape[-1], len(rows)).round().astype(int)[::-1] if len(rows) > 1 else [shape[-1] // 2 or 1]
    steps = np.arange(shape[-1])
    right = np.stack([steps < length for length in lengths])
    yield variant(
        "left-padded", f"`{name}` padded on the left, rows of different lengths", right[:, ::-1].reshape(shape)
    )
    yield variant("right-padded", f"`{name}` padded on the right, rows of different lengths", right.reshape(shape))
    yield variant("off", f"`{name}` that is all {off}", ~full, edge=True)
    yield variant("on", f"`{name}` that is all {on}", full)
    yield variant("one", f"rows of `{name}` with a single {on}", np.broadcast_to(steps == 0, shape))
    yield variant("random", f"a random `{name}`", _random(role, rng))
    if len(shape) > 1 and shape[-1] == shape[-2]:
        yield variant("causal", f"a causal `{name}`", np.broadcast_to(np.tril(np.ones(shape[-2:], bool)), shape))


def _random(role: Role, rng: np.random.Generator) -> Array:
    keep = np.asarray(rng.random(role.example.shape) < 0.6)
    if role.example.ndim:
        keep[..., 0] = True
    return keep


def _array(role: Role, keep: Array) -> Array:
    values = two_values(role)
    assert values is not None
    return np.asarray(np.where(keep, values[1], values[0]).astype(role.example.dtype))


def _as_text(values: tuple[Any, Any]) -> tuple[str, str]:
    return tuple(f"{value:g}" if isinstance(value, float) else str(value) for value in values)  # type: ignore[return-value]


KIND = Kind(
    name="mask",
    order=10,
    matches=lambda role: role.example.size > 0 and two_values(role) is not None,
    variants=_variants,
    draw=lambda role, rng: _array(role, _random(role, rng)),
)
