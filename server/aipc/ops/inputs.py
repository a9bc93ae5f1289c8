"""Example values of a case: random ones, and boundary values on which operators tend to differ. Seeded by the case."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from .catalogue._case import Case, Input

Array = np.ndarray[Any, Any]

SETS = ("random", "boundary")
_HALVES = np.array([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 7.0, 100.5, 1000.0, 30000.0, 6e4, 1e-4, 2.0**-24])
_BOUNDARY = np.concatenate([_HALVES, -_HALVES, _HALVES * (1 + 2.0**-10)])


def example(case: Case, kind: str) -> list[Array]:
    """One array for each input of ``case``; ``kind`` is one of :data:`SETS`."""
    make = _random if kind == "random" else _boundary
    return [make(spec, _generator(case.id, kind, index)) for index, spec in enumerate(case.inputs)]


def has_boundary(case: Case) -> bool:
    """Whether the boundary values differ from the random ones."""
    return any(spec.dtype.startswith("float") for spec in case.inputs)


def _generator(*parts: Any) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32("/".join(map(str, parts)).encode()))


def _random(spec: Input, rng: np.random.Generator) -> Array:
    if spec.dtype == "bool":
        return np.asarray(rng.integers(0, 2, spec.shape) > 0)
    if spec.dtype.startswith("float"):
        return np.asarray(rng.uniform(spec.low, spec.high, spec.shape)).astype(spec.dtype)
    return np.asarray(rng.integers(int(spec.low), int(spec.high), spec.shape)).astype(spec.dtype)


def _boundary(spec: Input, rng: np.random.Generator) -> Array:
    if not spec.dtype.startswith("float"):
        return _random(spec, rng)
    low, high = spec.edges
    values = _BOUNDARY[(low <= _BOUNDARY) & (high >= _BOUNDARY)]
    values = np.concatenate([values, [low, high], rng.uniform(spec.low, spec.high, 16)])
    # Every value appears where there is room: a plain draw leaves out a third of them.
    count = int(np.prod(spec.shape, dtype=int))
    drawn = np.resize(rng.permutation(values), count)
    return rng.permutation(drawn).reshape(spec.shape).astype(spec.dtype)
