"""Waveforms: samples of sound over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import is_picture, is_waveform, scaled, spread

Array = np.ndarray[Any, Any]


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    name = role.name
    rms = spread(role)
    peak = float(np.abs(role.example).max()) or 1.0
    coloured = _coloured(role, rng)

    def variant(label: str, title: str, values: Any, *, edge: bool = False) -> InputVariant:
        return InputVariant(name=label, title=title, array=scaled(role, np.asarray(values, np.float64)), edge=edge)

    yield variant("noise", f"coloured noise in `{name}`, as loud as the example", coloured * rms)
    yield variant("quiet", f"the example of `{name}` at a hundredth of its loudness", role.example * 0.01)
    yield variant("silence", f"`{name}` that is all zeros", 0.0, edge=True)
    yield variant("negated", f"the example of `{name}` negated", -role.example.astype(np.float64))
    yield variant("clipped", f"`{name}` that is clipped at {peak:g}", peak * np.sign(coloured), edge=True)


def _coloured(role: Role, rng: np.random.Generator) -> Array:
    """Noise whose power falls with the frequency, as that of speech and music does; root mean square 1."""
    length = role.example.shape[-1]
    weights = 1.0 / np.sqrt(np.maximum(np.fft.rfftfreq(length), 1.0 / length))
    field = np.fft.irfft(np.fft.rfft(rng.standard_normal(role.example.shape)) * weights, length)
    return np.asarray(field / (np.sqrt(np.mean(np.square(field))) or 1.0))


KIND = Kind(
    name="waveform",
    order=50,
    matches=lambda role: is_waveform(role) and not is_picture(role),
    variants=_variants,
    draw=lambda role, rng: scaled(role, _coloured(role, rng) * spread(role)),
)
