"""Real numbers that are neither pictures nor sound: features, embeddings, caches, states, coordinates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import is_plain_float, scaled, spread

Array = np.ndarray[Any, Any]


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    name = role.name
    example = role.example.astype(np.float64)

    def variant(label: str, title: str, values: Any, *, edge: bool = False, outside: bool = False) -> InputVariant:
        array = scaled(role, np.asarray(values, np.float64))
        return InputVariant(name=label, title=title, array=array, edge=edge, outside=outside)

    yield variant("other", f"other values of `{name}`, spread as the example's", _draw(role, rng))
    yield variant("zero", f"`{name}` that is all zeros", 0.0, edge=True)
    yield variant("small", f"`{name}` at a hundredth of the example", example * 0.01, edge=True)
    yield variant("large", f"`{name}` ten times as large as the example", example * 10, edge=True, outside=True)
    if example.size and example.min() < 0:
        yield variant("negated", f"the example of `{name}` negated", -example, edge=True)


def _draw(role: Role, rng: np.random.Generator) -> Array:
    """The example's own values in another order, each moved a little: within the range that the model takes."""
    values = rng.permutation(role.example.reshape(-1).astype(np.float64)).reshape(role.example.shape)
    if values.size and not np.ptp(values):
        low = 0.0 if values.flat[0] >= 0 else -1.0
        return scaled(role, rng.uniform(low, 1.0, role.example.shape) * spread(role))
    moved = values * rng.uniform(0.9, 1.0, role.example.shape)
    return scaled(role, moved)


KIND = Kind(
    name="real",
    order=60,
    matches=is_plain_float,
    variants=_variants,
    draw=_draw,
)
