"""Example inputs as they are written in the configuration or on the command line."""

from __future__ import annotations

import dataclasses
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aipc.core.errors import InputError

from .pictures import open_picture

_SHAPE = re.compile(r"^\s*(?P<dtype>[a-z]+\d*)\s*\[(?P<dims>[^\]]*)\]\s*$")
_IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_SEED = 0


def is_shape(text: str) -> bool:
    return bool(_SHAPE.match(text))


def tensor_from(text: str, *, dims: Mapping[str, int], high: int = 10, seed: int = _SEED) -> torch.Tensor:
    """A reproducible random tensor for a shape string such as ``float32[1,3,640,640]``.

    Floats of image shape (rank 4 with 1 or 3 channels) are uniform in [0, 1), other floats standard normal; integers
    are uniform in [0, ``high``); booleans are all true.

    Raises:
        InputError: the text is not a shape string, the dtype is unknown, or a named dimension has no value.
    """
    match = _SHAPE.match(text)
    if not match:
        raise InputError(f"{text!r} is not a shape", remedy="write for example float32[1,3,640,640]")
    dtype = getattr(torch, match["dtype"], None)
    if not isinstance(dtype, torch.dtype):
        raise InputError(
            f"{match['dtype']!r} in {text!r} is not a dtype", remedy="use float32, int64 or bool, for example"
        )
    shape = [_dimension(item.strip(), text, dims) for item in match["dims"].split(",") if item.strip()]
    return random_tensor(shape, dtype, high=high, seed=seed)


def random_tensor(shape: list[int], dtype: torch.dtype, *, high: int = 10, seed: int = _SEED) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    if dtype.is_floating_point:
        if len(shape) == 4 and shape[1] in {1, 3}:
            return torch.rand(shape, generator=generator).to(dtype)
        return torch.randn(shape, generator=generator).to(dtype)
    if dtype is torch.bool:
        return torch.ones(shape, dtype=dtype)
    return torch.randint(0, max(1, high), shape, generator=generator).to(dtype)


def _dimension(item: str, text: str, dims: Mapping[str, int]) -> int:
    name, _, pinned = item.partition("=")
    value = pinned.strip() or (str(dims[name.strip()]) if name.strip() in dims else name.strip())
    if value.isdigit() and int(value) > 0:
        return int(value)
    raise InputError(
        f"the dimension {item!r} in {text!r} has no size",
        remedy=f"pin it in the configuration: dims = {{ {name.strip()} = 128 }}",
    )


def array_file(path: Path) -> dict[str, torch.Tensor]:
    """The arrays of an ``.npz``, or of an ``.npy`` under the name ""."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a file", remedy="name an .npz or .npy file")
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except FileNotFoundError:
        raise InputError(f"there is no input file {path}", remedy="check the path") from None
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is not a NumPy file: {error}", remedy="write it with numpy.savez") from error
    try:
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    except TypeError as error:
        kinds = ", ".join(sorted({str(getattr(array, "dtype", "no array")) for array in arrays.values()}))
        raise InputError(
            f"{path} has arrays that are no tensors ({kinds})", remedy="save numbers, as float32 or integers"
        ) from error


def image_file(path: Path, size: tuple[int, int]) -> torch.Tensor:
    """An image as float32 [1, 3, height, width] in [0, 1], RGB.

    The picture is scaled to fit ``size`` (height, width) with its proportions kept, centred, and padded with grey
    (114 / 255), the letterbox that detectors are trained with.
    """
    from PIL import Image

    picture = open_picture(path)
    height, width = size
    scale = min(height / picture.height, width / picture.width)
    fitted = picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))),
        Image.Resampling.BILINEAR,
    )
    canvas = Image.new("RGB", (width, height), (114, 114, 114))
    canvas.paste(fitted, ((width - fitted.width) // 2, (height - fitted.height) // 2))
    array = np.asarray(canvas, dtype=np.float32) / 255.0
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))[None]


def is_image(text: str) -> bool:
    return Path(text).suffix.lower() in _IMAGES


def as_arguments(value: Any, what: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What ``example_inputs()`` or a user's function may return: a tensor, a tuple, or keyword arguments in a mapping
    (a dict, transformers' ``BatchEncoding``) or a dataclass."""
    if isinstance(value, Mapping):
        return (), dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return (), {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, torch.Tensor):
        return (value,), {}
    if isinstance(value, np.ndarray):
        return (torch.from_numpy(value),), {}
    if isinstance(value, (tuple, list)):
        if len(value) == 2 and isinstance(value[0], (tuple, list)) and isinstance(value[1], dict):
            return tuple(value[0]), dict(value[1])
        return tuple(value), {}
    raise InputError(
        f"{what} returned {type(value).__name__}",
        remedy="return a tensor, a tuple of tensors or a dict of them",
    )
