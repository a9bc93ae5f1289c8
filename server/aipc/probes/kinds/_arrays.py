"""What several kinds of input have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..roles import Role

Array = np.ndarray[Any, Any]


def is_float(role: Role) -> bool:
    return bool(role.example.dtype.kind == "f")


def is_integer(role: Role) -> bool:
    return role.example.dtype.kind in "iu"


def two_values(role: Role) -> tuple[Any, Any] | None:
    """(off, on) of a mask: False and True, 0 and 1, or a large negative number (an added mask) and 0; None for others.

    An example of nothing but ones is a mask where the graph reads it as a boolean or its name says so.
    """
    example = role.example
    if example.dtype.kind == "b":
        return False, True
    values = np.unique(example)
    named = "mask" in role.name.lower()
    if example.dtype.kind in "iu":
        ones = set(values.tolist()) <= {0, 1}
        return (0, 1) if ones and not role.indexes and not role.counts and (role.boolean or named) else None
    if example.dtype.kind != "f" or values.size > 2:
        return None
    if values.size == 2 and values[1] == 0 and values[0] <= -1000:
        return float(values[0]), 0.0
    zero_one = set(values.tolist()) <= {0.0, 1.0}
    return (0.0, 1.0) if zero_one and (named or (values.size == 2 and example.size >= 8)) else None


def is_picture(role: Role) -> bool:
    """Floats or bytes [N, C, H, W] or [N, H, W, C] of 1 or 3 channels and sides of 16 and more; without N, of 3."""
    shape = role.example.shape
    if len(shape) not in {3, 4} or two_values(role) is not None:
        return False
    if role.example.dtype.kind != "f" and role.example.dtype != np.uint8:
        return False
    return channels_first(role) or (shape[-1] in _channels(role) and min(shape[-3:-1]) >= 16)


def channels_first(role: Role) -> bool:
    shape = role.example.shape
    return shape[-3] in _channels(role) and min(shape[-2:]) >= 16


def _channels(role: Role) -> set[int]:
    # [1, 80, 300] may be features of a batch of one.
    return {1, 3} if role.example.ndim == 4 else {3}


def is_waveform(role: Role) -> bool:
    """Float samples over time: the last axis is long and the others are at most a small batch."""
    shape = role.example.shape
    return (
        is_float(role)
        and bool(shape)
        and shape[-1] >= 400
        and int(np.prod(shape[:-1], dtype=np.int64)) <= 4
        and two_values(role) is None
    )


def scaled(role: Role, values: Any) -> Array:
    """``values`` in the dtype and shape of the input; integers are rounded and kept within their dtype."""
    dtype = role.example.dtype
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.clip(np.round(values), limits.min, limits.max)
    if role.example.ndim == 0:
        values = np.ravel(values)[0]
    # numpy.ascontiguousarray would give an array without axes one axis.
    return np.array(np.broadcast_to(values, role.example.shape)).astype(dtype)


def spread(role: Role) -> float:
    """Root mean square of the example; 1 where it is all zeros or not finite."""
    example = role.example.astype(np.float64)
    power = float(np.sqrt(np.mean(np.square(example)))) if example.size else 1.0
    return power if np.isfinite(power) and power > 0 else 1.0


def is_plain_float(role: Role) -> bool:
    """Whether an input holds numbers of no special kind: no mask, no picture, no waveform."""
    return (
        is_float(role)
        and role.example.size > 0
        and two_values(role) is None
        and not is_picture(role)
        and not is_waveform(role)
    )
