"""Pictures: [N, C, H, W] or [N, H, W, C] with 1 or 3 channels, floats or bytes, in the range of their example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import channels_first, is_picture, scaled

Array = np.ndarray[Any, Any]


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    name = role.name
    low, high = _range(role)
    example = role.example.astype(np.float64)

    def variant(label: str, title: str, values: Any, *, edge: bool = False, outside: bool = False) -> InputVariant:
        array = scaled(role, np.asarray(values, np.float64))
        return InputVariant(name=label, title=title, array=array, edge=edge, outside=outside)

    yield variant("natural", f"smooth noise in `{name}`, as in a photograph", _natural(role, rng))
    yield variant("dark", f"`{name}` at a tenth of its brightness", low + (example - low) * 0.1)
    yield variant("noise", f"noise of every frequency in `{name}`", rng.uniform(low, high, role.example.shape))
    yield variant("black", f"`{name}` that is all {low:g}", low, edge=True)
    yield variant("white", f"`{name}` that is all {high:g}", high, edge=True)
    yield variant("negated", f"the example of `{name}` as its negative", high - (example - low), edge=True)
    if role.example.dtype.kind == "f":
        yield variant("loud", f"the example of `{name}` ten times as large", example * 10, edge=True, outside=True)


def _range(role: Role) -> tuple[float, float]:
    """What white and black are: bytes, 0 to 1, 0 to 255, or the symmetric range of normalized pictures."""
    if role.example.dtype.kind != "f":
        return 0.0, 255.0
    low, high = float(np.min(role.example)), float(np.max(role.example))
    if low >= 0:
        return (0.0, 1.0) if high <= 1.0 else (0.0, max(255.0, high))
    peak = max(-low, high)
    return (-1.0, 1.0) if peak <= 1.0 else (-peak, peak)


def _natural(role: Role, rng: np.random.Generator) -> Array:
    """Noise whose power falls with the square of the frequency, as it does in photographs, over the whole range."""
    shape = role.example.shape
    axes = (-2, -1) if channels_first(role) else (-3, -2)
    rows, columns = np.meshgrid(np.fft.fftfreq(shape[axes[0]]), np.fft.fftfreq(shape[axes[1]]), indexing="ij")
    frequency = np.sqrt(rows**2 + columns**2)
    frequency[0, 0] = np.inf
    weights = 1.0 / frequency
    weights = weights[..., None] if axes == (-3, -2) else weights
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal(shape), axes=axes) * weights, axes=axes).real
    low, high = _range(role)
    least, most = field.min(), field.max()
    return np.asarray(low + (high - low) * (field - least) / ((most - least) or 1.0))


KIND = Kind(
    name="picture",
    order=40,
    matches=is_picture,
    variants=_variants,
    draw=lambda role, rng: scaled(role, _natural(role, rng)),
)
