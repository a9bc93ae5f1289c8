"""Arrays and tensors of a caller as a package's inputs, and its outputs as what the caller works with."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aipc.core.errors import InputError
from aipc.core.types import TensorSpec

Array = np.ndarray[Any, Any]


def is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def to_array(value: Any) -> Array:
    """A NumPy array of a tensor, an array, a number or nested lists."""
    return np.asarray(value.detach().cpu().numpy() if is_tensor(value) else value)


def to_tensor(array: Array) -> Any:
    """A PyTorch tensor with the shape and dtype of ``array``, which it may share memory with."""
    torch = sys.modules["torch"]
    return torch.from_numpy(np.ascontiguousarray(array))


def write_array(value: Any, folder: Path) -> Path:
    """Write one array as ``.npy`` under the hash of its content."""
    stream = io.BytesIO()
    np.save(stream, to_array(value), allow_pickle=False)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(stream.getvalue()).hexdigest()[:32]}.npy"
    path.write_bytes(stream.getvalue())
    return path


def named_arrays(specs: Sequence[TensorSpec], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Array]:
    """Inputs by name, in their shape and dtype. Python numbers and float64 are cast; other dtypes have to fit.

    Raises:
        InputError: an input is missing, unknown, or has another shape or dtype.
    """
    names = [spec.name for spec in specs]
    if len(args) > len(names):
        raise InputError(f"{len(args)} inputs were given", remedy=f"the package takes {', '.join(names)}")
    by_name = dict(zip(names, args, strict=False)) | dict(kwargs)
    if unknown := [name for name in by_name if name not in names]:
        raise InputError(f"the package has no input {unknown[0]!r}", remedy=f"it takes {', '.join(names)}")
    if missing := [name for name in names if name not in by_name]:
        raise InputError(f"the input {missing[0]!r} is missing", remedy=f"the package takes {', '.join(names)}")
    return {spec.name: _fitted(spec, to_array(by_name[spec.name])) for spec in specs}


def _fitted(spec: TensorSpec, array: Array) -> Array:
    wanted = np.dtype(spec.dtype)
    if array.shape != tuple(spec.shape):
        raise InputError(
            f"the input {spec.name!r} has the shape {list(array.shape)}",
            remedy=f"shapes on the NPU are fixed: give {spec.dtype}{list(spec.shape)}",
        )
    if not np.can_cast(array.dtype, wanted, "same_kind"):
        raise InputError(f"the input {spec.name!r} is {array.dtype}", remedy=f"give {spec.dtype}{list(spec.shape)}")
    return np.ascontiguousarray(array, dtype=wanted)
