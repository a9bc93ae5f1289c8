"""Arrays by name in `.npz` files: how they cross the border of a process."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aipc.core.errors import InputError, StorageError

Array = np.ndarray[Any, Any]


def read_npz(path: str | Path) -> dict[str, Array]:
    """Arrays by name, in the file's order.

    Raises:
        InputError: the file is missing, is not an `.npz`, or holds pickled objects.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            if not isinstance(data, np.lib.npyio.NpzFile):
                raise ValueError("a single array without a name")
            return {name: data[name] for name in data.files}
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is not a readable .npz file", remedy="save it with numpy.savez", detail=str(error)
        ) from error
    except Exception as error:  # zipfile.BadZipFile and friends
        raise InputError(f"{path} is damaged", remedy="save it again", detail=str(error)) from error


def not_finite(arrays: Mapping[str, Array]) -> tuple[str, ...]:
    """A clause for each array of a float dtype that has NaN or infinite values."""
    return tuple(
        f"input {name} has {int(np.isnan(array).sum())} NaN and {int(np.isinf(array).sum())} infinite values"
        for name, array in arrays.items()
        if array.dtype.kind == "f" and not np.isfinite(array).all()
    )


def write_npz(path: str | Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays of any shape and dtype by name, the same bytes for the same arrays.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        with zipfile.ZipFile(path, "w") as archive:
            for name, array in arrays.items():
                # A fixed date: numpy.savez writes the present one, and equal arrays would not be equal bytes.
                entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                with archive.open(entry, "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)
    except OSError as error:
        raise StorageError(f"cannot write {path}", remedy="free some space or choose another directory") from error
