"""Infinities and NaN, for graphs with operators that look for them: IsNaN, IsInf, ``x != x``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import is_float

Array = np.ndarray[Any, Any]


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    values = {"inf": np.inf, "minus-inf": -np.inf, "nan": np.nan}
    mixed = role.example.copy()
    flat = mixed.reshape(-1)
    for place, value in enumerate(values.values()):
        flat[place % flat.size :: 7] = value
    yield InputVariant(
        name="mixed", title=f"infinities and NaN among the values of `{role.name}`", array=mixed, edge=True
    )
    for label, value in values.items():
        array = role.example.copy()
        array.reshape(-1)[::5] = value
        yield InputVariant(
            name=label, title=f"{_word(value)} among the values of `{role.name}`", array=array, edge=True
        )


def _word(value: float) -> str:
    return "NaN" if np.isnan(value) else ("infinity" if value > 0 else "minus infinity")


KIND = Kind(
    name="non-finite",
    order=25,
    matches=lambda role: is_float(role) and role.example.size > 0 and role.looks_for_nonfinite,
    variants=_variants,
)
