"""The ends of fp16: its largest and its smallest numbers, in an input of real numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..kind import Kind, Variant
from ..roles import Role
from ._arrays import is_float, is_picture, is_waveform, scaled, two_values

LARGEST = 65504.0
"""Of IEEE 754's binary16."""
SMALLEST = 2.0**-24
"""Its smallest number that is not zero."""


def _variants(role: Role, rng: np.random.Generator) -> Iterator[Variant]:
    signs = np.where(role.example < 0, -1.0, 1.0)
    for label, value in (("largest", LARGEST), ("smallest", SMALLEST)):
        title = f"`{role.name}` with the {label} numbers of fp16, {value:.4g}"
        yield Variant(name=label, title=title, array=scaled(role, signs * value), edge=True, outside=True)


KIND = Kind(
    name="fp16-ends",
    order=90,
    matches=lambda role: (
        is_float(role)
        and role.example.size > 0
        and two_values(role) is None
        and not is_picture(role)
        and not is_waveform(role)
    ),
    variants=_variants,
)
