"""A picture that came out and the one that was wanted."""

from __future__ import annotations

from typing import Any

import numpy as np

from aipc.core.errors import InputError

Array = np.ndarray[Any, Any]


def pair(picture: Array, target: Any) -> tuple[Array, Array, float]:
    """Both as float64 in the target's shape, and the peak: 1 for targets up to 1, else 255.

    Raises:
        InputError: they have different numbers of values.
    """
    wanted = np.asarray(target, np.float64)
    if wanted.size != picture.size or wanted.ndim < 2:
        raise InputError(
            f"the output has the shape {list(picture.shape)} and the target {list(wanted.shape)}",
            remedy="give targets of the output's shape",
        )
    return picture.astype(np.float64).reshape(wanted.shape), wanted, 1.0 if wanted.max() <= 1.0 else 255.0
