"""Labelled data on disk: each sample's inputs as the graph takes them, and its target beside it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aipc.capture import spec as specs
from aipc.capture.load import seed_everything
from aipc.core.errors import InputError
from aipc.core.types import Event, TensorSpec
from aipc.core.wording import counted
from aipc.numerics.npz import read_npz, write_npz
from aipc.quantize.calibrate.preprocessing import Preprocessing
from aipc.quantize.calibrate.sources import open_source, raised

from .evaluation_report import PreparedData

TARGETS = ("target", "targets", "label", "labels")
"""Names under which a mapping or an .npz file holds the target."""
_REMEDY = (
    "give a folder with a subfolder for each class, an .npz with an array target, or file.py:name of (input, target)"
)


def prepare(
    report: Callable[[Event], None],
    *,
    root: str,
    inputs: Sequence[TensorSpec],
    data: str,
    preprocess: str | None,
    count: int,
    seed: int,
    chunk: int,
    out: str,
) -> PreparedData:
    """Write ``count`` samples, drawn by ``seed``, into ``out``/000, ``out``/001 … of ``chunk`` samples each.

    Raises:
        InputError: the data cannot be read, has no targets, or does not fit the model.
    """
    seed_everything()
    pairs, total, images, note = _open(data, Path(root), inputs, seed)
    preprocessing = Preprocessing(preprocess, Path(root), inputs, images=images)
    written = 0
    for number, (item, target) in enumerate(_drawn(pairs, total, seed, data), 1):
        samples = list(preprocessing.samples(item, number))
        for index, arrays in enumerate(samples):
            folder = Path(out) / f"{written // chunk:03d}"
            folder.mkdir(parents=True, exist_ok=True)
            own = _part(target, index, len(samples), number)
            save_target(folder / f"target-{written:05d}", own)
            write_npz(folder / f"{written:05d}.npz", arrays)
            written += 1
            report(Event("evaluate", f"reading sample {written} of {count}", written / count))
            if written == count:
                return PreparedData(written, total, f"{note}, {preprocessing.description}")
    if not written:
        raise InputError(f"the data {data} is empty", remedy=_REMEDY)
    return PreparedData(written, total, f"{note}, {preprocessing.description}")


Pairs = Callable[[Sequence[int] | None], Iterator[tuple[Any, Any]]]


def _open(text: str, root: Path, inputs: Sequence[TensorSpec], seed: int) -> tuple[Pairs, int | None, bool, str]:
    path = root / Path(text).expanduser()
    if path.is_dir():
        return _classes(path)
    if path.suffix == ".npz" and path.is_file():
        return _array_file(path, inputs)
    if ".py:" not in text:
        raise InputError(f"{text} is no labelled data", remedy=_REMEDY)
    source = open_source(text, root, inputs, seed)
    return lambda chosen: map(divided, source.items(chosen)), source.total, False, source.description


def _classes(path: Path) -> tuple[Pairs, int | None, bool, str]:
    """Pictures in a subfolder for each class; the classes are numbered in the order of their names."""
    names = sorted(item.name for item in path.iterdir() if item.is_dir())
    files = [item for item in sorted(path.rglob("*")) if item.is_file() and specs.is_image(str(item))]
    if not files or any(item.parent == path for item in files):
        raise InputError(f"the pictures in {path} have no class", remedy=_REMEDY)
    labels = [names.index(item.relative_to(path).parts[0]) for item in files]

    def pairs(chosen: Sequence[int] | None) -> Iterator[tuple[Any, Any]]:
        for number in range(len(files)) if chosen is None else chosen:
            yield files[number], labels[number]

    return pairs, len(files), True, f"{len(files)} pictures of {len(names)} classes in {path.name}"


def _array_file(path: Path, inputs: Sequence[TensorSpec]) -> tuple[Pairs, int | None, bool, str]:
    arrays = read_npz(path)
    name = next((name for name in TARGETS if name in arrays), None)
    if name is None:
        raise InputError(f"{path} has no array target", remedy=_REMEDY)
    targets = arrays.pop(name)
    missing = [item.name for item in inputs if item.name not in arrays]
    if missing:
        raise InputError(f"{path} has no array {missing[0]!r}", remedy=f"it has {', '.join(arrays) or 'no inputs'}")

    other = next((item.name for item in inputs if len(arrays[item.name]) != len(targets)), None)
    if other is not None:
        raise InputError(
            f"{path} has {len(arrays[other])} rows of {other} and {len(targets)} of {name}",
            remedy="give a row of each array for each sample",
        )

    def pairs(chosen: Sequence[int] | None) -> Iterator[tuple[Any, Any]]:
        for number in range(len(targets)) if chosen is None else chosen:
            yield {item.name: arrays[item.name][number] for item in inputs}, targets[number]

    return pairs, len(targets), False, f"{counted(len(targets), 'sample')} in {path.name}"


def divided(item: Any) -> tuple[Any, Any]:
    """(inputs, target) of what a dataset gives: the last of a tuple, or a key of a mapping, is the target."""
    if isinstance(item, Mapping):
        name = next((name for name in TARGETS if name in item), None)
        if name is not None:
            return {key: value for key, value in item.items() if key != name}, item[name]
    elif isinstance(item, (tuple, list)) and len(item) > 1:
        inputs = item[0] if len(item) == 2 else tuple(item[:-1])
        return inputs, item[-1]
    raise InputError(f"an item of the data is a {type(item).__name__} without a target", remedy=_REMEDY)


def _drawn(pairs: Pairs, total: int | None, seed: int, data: str) -> Iterator[tuple[Any, Any]]:
    chosen = None
    if total is not None:
        chosen = list(range(total))
        random.Random(seed).shuffle(chosen)
    items = pairs(chosen)
    number = 0
    while True:
        number += 1
        try:
            yield next(items)
        except StopIteration:
            return
        except Exception as error:
            raise raised(error, f"the data {data}, at its item {number},") from error


def _part(target: Any, index: int, samples: int, number: int) -> Any:
    """The target of one sample of a batch."""
    if samples == 1:
        return target[0] if _is_batch_of_one(target) else target
    try:
        if len(target) == samples:
            return target[index]
    except TypeError:
        pass
    raise InputError(
        f"item {number} of the data has {samples} samples and not as many targets", remedy="give one sample an item"
    )


def _is_batch_of_one(target: Any) -> bool:
    """A DataLoader makes a label a tensor of one element."""
    return hasattr(target, "shape") and tuple(target.shape) == (1,)


def save_target(path: Path, target: Any) -> None:
    """Write a target as ``.json`` (text, numbers, lists) or ``.npz`` (arrays, mappings of arrays)."""
    if isinstance(target, Mapping):
        write_npz(path.with_suffix(".npz"), {str(key): _plain(value) for key, value in target.items()})
    elif hasattr(target, "shape") and tuple(target.shape):
        write_npz(path.with_suffix(".npz"), {"": _plain(target)})
    else:
        value = target.item() if hasattr(target, "item") else target
        path.with_suffix(".json").write_text(json.dumps(value), "utf-8")


def load_target(path: Path) -> Any:
    """What :func:`save_target` wrote: text, a number, a list, an array, or a mapping of arrays."""
    if path.with_suffix(".json").is_file():
        return json.loads(path.with_suffix(".json").read_text("utf-8"))
    arrays = read_npz(path.with_suffix(".npz"))
    return arrays[""] if list(arrays) == [""] else arrays


def _plain(value: Any) -> np.ndarray[Any, Any]:
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
