"""Where calibration data comes from: a folder, an array file, the author's own loader, or random numbers by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aipc.capture import spec as specs
from aipc.capture.load import import_file, innermost_user_range, not_installed
from aipc.core.errors import AipcError, InputError
from aipc.core.types import TensorSpec
from aipc.core.wording import counted

RANDOM = "random"
_SKIPPED = 4096
"""A loader without an end is left after so many items."""


@dataclass(frozen=True, slots=True)
class CalibrationSource:
    """``items``: what the author has, one sample or batch at a time; ``images``: these are pictures, by path.

    ``total`` is None when the source does not say how many it has: its items come in their own order.
    """

    description: str
    items: Callable[[Sequence[int] | None], Iterator[Any]]
    total: int | None
    images: bool = False


def open_source(text: str, root: Path, inputs: Sequence[TensorSpec], seed: int) -> CalibrationSource:
    """The source that ``text`` names, relative to ``root``.

    Raises:
        InputError: there is no such file, folder or function, or nothing in it.
    """
    if text == RANDOM:
        return _random(inputs, seed)
    if ".py:" in text:
        return _loader(text, root)
    path = Path(text).expanduser()
    path = path if path.is_absolute() else root / path
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise InputError(
            f"there is no calibration data at {path}",
            remedy="name a folder of images, an .npz or .npy file, or file.py:function",
        )
    if path.suffix in {".npz", ".npy"}:
        return _arrays(path, inputs)
    if specs.is_image(str(path)):
        return CalibrationSource(f"the picture {path.name}", lambda chosen: iter([path]), 1, images=True)
    raise InputError(
        f"the calibration data {path} is neither a folder, an .npz or .npy file nor a picture",
        remedy="name a folder of images, an .npz or .npy file, or file.py:function",
    )


def _random(inputs: Sequence[TensorSpec], seed: int) -> CalibrationSource:
    import torch

    def items(chosen: Sequence[int] | None) -> Iterator[Any]:
        for number in chosen or range(_SKIPPED):
            yield {
                item.name: specs.random_tensor(
                    list(item.shape), getattr(torch, item.dtype), seed=seed * 1_000_003 + 31 * number + place
                ).numpy()
                for place, item in enumerate(inputs)
            }

    return CalibrationSource("random numbers", items, None)


def _folder(path: Path) -> CalibrationSource:
    files = sorted(item for item in path.rglob("*") if item.is_file())
    images = [item for item in files if specs.is_image(str(item))]
    arrays = [item for item in files if item.suffix in {".npz", ".npy"}]
    if not images and not arrays:
        raise InputError(f"there is no image and no NumPy file in {path}", remedy="put some there or name another")
    items_of_folder = images or arrays

    def items(chosen: Sequence[int] | None) -> Iterator[Any]:
        for number in range(len(items_of_folder)) if chosen is None else chosen:
            yield items_of_folder[number] if images else _unnamed(specs.array_file(items_of_folder[number]))

    kind = "images" if images else "NumPy files"
    return CalibrationSource(
        f"{len(items_of_folder)} {kind} in {path.name}", items, len(items_of_folder), images=bool(images)
    )


def _arrays(path: Path, inputs: Sequence[TensorSpec]) -> CalibrationSource:
    arrays = {name: tensor.numpy() for name, tensor in specs.array_file(path).items()}
    if not set(arrays) & {item.name for item in inputs}:
        # Arrays under other names, in the order of the model's inputs.
        arrays = dict(zip((item.name for item in inputs), arrays.values(), strict=False))
    rows: dict[str, int] = {}
    for item in inputs:
        if item.name not in arrays:
            raise InputError(
                f"{path.name} has no array {item.name!r}", remedy=f"it has {', '.join(arrays) or 'none'}; name it so"
            )
        array = arrays[item.name]
        batch = item.shape[0] if item.shape and array.shape[1:] == item.shape[1:] else 1
        if array.ndim == 0 or not array.size:
            raise InputError(f"the array {item.name!r} in {path.name} is empty", remedy="put samples into it")
        rows[item.name] = array.shape[0] // max(batch, 1)
    total = min(rows.values())

    def items(chosen: Sequence[int] | None) -> Iterator[Any]:
        for number in range(total) if chosen is None else chosen:
            yield {name: array[_rows(number, name, array, inputs)] for name, array in arrays.items()}

    return CalibrationSource(f"{counted(total, 'sample')} in {path.name}", items, total)


def _rows(number: int, name: str, array: np.ndarray, inputs: Sequence[TensorSpec]) -> Any:
    shape = next((item.shape for item in inputs if item.name == name), ())
    if shape and array.shape[1:] == shape[1:]:
        return slice(number * shape[0], (number + 1) * shape[0])
    return number


def _unnamed(arrays: Mapping[str, Any]) -> Any:
    return arrays[""] if list(arrays) == [""] else dict(arrays)


def _loader(text: str, root: Path) -> CalibrationSource:
    """A Dataset, a DataLoader, a generator function, or a function that returns one of these."""
    file, _, name = text.rpartition(":")
    path = (root / Path(file).expanduser()).resolve()
    if not path.is_file():
        raise InputError(f"there is no file {path}, which the calibration data {text!r} names", remedy="check the path")
    if path.is_relative_to(root.resolve()):  # the same words from the command line, which gives the whole path
        text = f"{path.relative_to(root.resolve()).as_posix()}:{name}"
    holder: Any = import_file(path, root)
    for part in name.split("."):
        if not hasattr(holder, part):
            raise InputError(f"there is no {name} in {path}", remedy="name a dataset, a loader or a function in it")
        holder = getattr(holder, part)
    if isinstance(holder, type) or (callable(holder) and not hasattr(holder, "__getitem__")):
        try:
            holder = holder()
        except Exception as error:
            raise raised(error, f"{name} in {path.name}") from error
    indexed = hasattr(holder, "__getitem__") and hasattr(holder, "__len__") and not isinstance(holder, (dict, str))
    if indexed:
        data = holder

        def chosen_items(chosen: Sequence[int] | None) -> Iterator[Any]:
            for number in range(len(data)) if chosen is None else chosen:
                yield data[number]

        return CalibrationSource(f"{text} ({len(data)} items)", chosen_items, len(data))
    if not isinstance(holder, Iterable):
        raise InputError(
            f"{text} gives a {type(holder).__name__}, which cannot be iterated",
            remedy="give a torch Dataset, a DataLoader, a generator or a list",
        )
    return CalibrationSource(text, lambda chosen: iter(holder), None)


def raised(error: Exception, what: str, remedy: str = "correct it and run the same command again") -> AipcError:
    """The author's code raised: say what, at its own line."""
    if isinstance(error, AipcError):
        return error
    if isinstance(error, ModuleNotFoundError):
        return not_installed(error)
    lines = str(error).strip().splitlines()
    return InputError(
        f"{what} raised {type(error).__name__}: {lines[0] if lines else 'no message'}",
        remedy=remedy,
        range=innermost_user_range(error),
    )
