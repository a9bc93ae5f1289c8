"""From what a source gives to arrays as the graph takes them: the author's preprocessing, or a stated default."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aipc.capture import spec as specs
from aipc.capture.load import import_file
from aipc.capture.pictures import open_picture
from aipc.core.errors import InputError
from aipc.core.types import TensorSpec

from .sources import raised

Arrays = dict[str, np.ndarray]

# ImageNet's channel statistics, as torchvision and timm use them for most of their weights.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SCALINGS = {
    "unit": "values in [0, 1]",
    "symmetric": "values in [-1, 1]",
    "imagenet": "values normalized by ImageNet's mean and standard deviation",
}
_PREPARED = "if the data is prepared already, take preprocess out of the configuration, or give --preprocess none"


class Preprocessing:
    """``words`` says in a sentence what is done.

    Args:
        text: ``file.py:function``, one of ``SCALINGS``, or None or ``none`` for the default: pictures in [0, 1], all
            else as it is.

    Raises:
        InputError: there is no such function.
    """

    def __init__(self, text: str | None, root: Path, inputs: Sequence[TensorSpec], *, images: bool) -> None:
        text = None if text == "none" else text
        self._inputs = inputs
        self._function: Callable[[Any], Any] | None = None
        self._scaling = text if text in SCALINGS else "unit"
        if text and text not in SCALINGS:
            self._function, self._name = _function(text, root), text
            self.description = f"by {text}"
        elif images:
            size = _image_size(inputs)
            self.description = f"scaled to fit {size[0]}x{size[1]}, padded with grey, {SCALINGS[self._scaling]}, RGB"
            self.description += "" if text else " (the default; preprocess in the configuration names another)"
        else:
            self.description = "taken as it is" if not text else SCALINGS[self._scaling]

    def samples(self, item: Any, number: int) -> Iterator[Arrays]:
        """The samples of one item: several when it is a batch larger than the graph's.

        Raises:
            InputError: it cannot be read, or does not fit the graph.
        """
        if self._function is not None:
            try:
                item = self._function(_opened(item))
            except Exception as error:
                remedy = "correct it" if isinstance(item, Path) else _PREPARED
                raise raised(error, f"the preprocessing {self._name} of sample {number}", remedy) from error
        elif isinstance(item, Path):
            item = self._scaled(specs.image_file(item, _image_size(self._inputs)).numpy())
        elif hasattr(item, "convert") and hasattr(item, "resize"):
            raise InputError(
                f"sample {number} of the calibration data is a picture object",
                remedy='turn it into a tensor in a function and name it: preprocess = "file.py:function"',
            )
        yield from _split(self._named(item, number), self._inputs, number)

    def _scaled(self, array: np.ndarray) -> np.ndarray:
        if self._scaling == "symmetric":
            array = array * 2 - 1
        elif self._scaling == "imagenet":
            mean, std = (np.array(item, np.float32).reshape(1, 3, 1, 1) for item in (_MEAN, _STD))
            array = (array - mean) / std
        channels = self._inputs[0].shape[1]
        return array.mean(1, keepdims=True) if channels == 1 else array

    def _named(self, item: Any, number: int) -> Arrays:
        names = [item.name for item in self._inputs]
        if isinstance(item, Mapping):
            missing = [name for name in names if name not in item]
            if missing and len(names) == 1 and len(item) == 1:
                return {names[0]: _array(next(iter(item.values())), number)}
            if missing:
                raise InputError(
                    f"sample {number} of the data has no {missing[0]!r}",
                    remedy=f"the model takes {', '.join(names)}",
                )
            return {name: _array(item[name], number) for name in names}
        if isinstance(item, (tuple, list)):
            # A dataset gives (input, label): what is more than the model takes is not for it.
            if len(item) < len(names):
                raise InputError(
                    f"sample {number} of the data has {len(item)} parts",
                    remedy=f"the model takes {len(names)}: {', '.join(names)}",
                )
            return {name: _array(part, number) for name, part in zip(names, item, strict=False)}
        if len(names) != 1:
            raise InputError(
                f"sample {number} of the calibration data is one array", remedy=f"the model takes {', '.join(names)}"
            )
        return {names[0]: _array(item, number)}


def _function(text: str, root: Path) -> Callable[[Any], Any]:
    file, _, name = text.rpartition(":")
    path = (root / file).resolve()
    function = getattr(import_file(path, root), name, None) if file and path.is_file() else None
    if not callable(function):
        raise InputError(
            f"the preprocessing {text!r} is no function that can be found",
            remedy=f'name it as "file.py:function", or use one of {", ".join(SCALINGS)}',
        )
    return function  # type: ignore[no-any-return]


def _opened(item: Any) -> Any:
    """A picture for the author's function, which need not know where it lies."""
    if not isinstance(item, Path):
        return item
    return open_picture(item)


def _image_size(inputs: Sequence[TensorSpec]) -> tuple[int, int]:
    shape = inputs[0].shape
    if len(inputs) != 1 or len(shape) != 4 or shape[1] not in {1, 3}:
        raise InputError(
            f"pictures do not fit an input of shape {list(shape)}"
            if len(inputs) == 1
            else f"pictures do not fit a model of {len(inputs)} inputs",
            remedy='name your own preprocessing: preprocess = "file.py:function"',
        )
    return shape[2], shape[3]


def _array(value: Any, number: int) -> np.ndarray:
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"sample {number} of the calibration data holds {type(value).__name__}, not numbers",
            remedy="give tensors or arrays",
        )
    return array


def _split(arrays: Arrays, inputs: Sequence[TensorSpec], number: int) -> Iterator[Arrays]:
    parts = {item.name: _fitting(arrays[item.name], item, number) for item in inputs}
    for index in range(min(len(part) for part in parts.values())):
        yield {name: part[index] for name, part in parts.items()}


def _fitting(array: np.ndarray, item: TensorSpec, number: int) -> list[np.ndarray]:
    """One sample or several, in the graph's shape and dtype."""
    wanted = np.dtype(item.dtype)
    if array.dtype != wanted:
        if wanted.kind in "iu" and array.dtype.kind == "f":
            raise InputError(
                f"sample {number} of the calibration data is {array.dtype} for {item.name!r}",
                remedy=f"the model takes {item.dtype}",
            )
        array = array.astype(wanted)
    shape = item.shape
    if array.shape == shape:
        return [array]
    if array.shape == shape[1:] and shape[0] == 1:
        return [array[None]]
    if array.ndim == len(shape) and array.shape[1:] == shape[1:] and array.shape[0] >= shape[0]:
        size = shape[0]
        return [array[start : start + size] for start in range(0, array.shape[0] - size + 1, size)]
    raise InputError(
        f"sample {number} of the data has the shape {list(array.shape)} for {item.name!r}",
        remedy=f"the model takes {list(shape)}",
    )
