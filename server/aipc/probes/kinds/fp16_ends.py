"""The ends of fp16: its largest and its smallest numbers, in an input of real numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..kind import InputVariant, Kind
from ..roles import Role
from ._arrays import is_plain_float, scaled

LARGEST = 65504.0
"""Of IEEE 754's binary16."""
SMALLEST = 2.0**-24
"""Its smallest number that is not zero."""


def _variants(role: Role, rng: np.random.Generator) -> Iterator[InputVariant]:
    signs = np.where(role.example < 0, -1.0, 1.0)
    for label, value in (("largest", LARGEST), ("smallest", SMALLEST)):
        title = f"`{role.name}` with the {label} numbers of fp16, {value:.4g}"
        yield InputVariant(name=label, title=title, array=scaled(role, signs * value), edge=True, outside=True)


KIND = Kind(
    name="fp16-ends",
    order=90,
    matches=is_plain_float,
    variants=_variants,
)
