"""Samples of an iterable in this process, written as calibration data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from aipc.core.errors import InputError
from aipc.core.types import TensorSpec
from aipc.numerics.npz import write_npz

from .preprocessing import Preprocessing


def write_samples(data: Any, inputs: Sequence[TensorSpec], directory: Path, most: int) -> int:
    """Write up to ``most`` samples of ``data`` as ``0000.npz`` …, arrays by the names of ``inputs``; how many.

    Raises:
        InputError: ``data`` cannot be iterated, is empty, or an item does not fit the model.
    """
    if not isinstance(data, Iterable):
        raise InputError(
            f"calibration data is a {type(data).__name__}, which cannot be iterated",
            remedy="give a DataLoader, a list of what forward takes, or the name of a folder",
        )
    preparing = Preprocessing(None, directory, inputs, images=False)
    written = 0
    for number, item in enumerate(data, 1):
        for sample in preparing.samples(item, number):
            write_npz(str(directory / f"{written:04d}.npz"), sample)
            written += 1
            if written == most:
                return written
    if not written:
        raise InputError("the calibration data is empty", remedy="give an iterable with samples")
    return written
