"""Search for inputs of the original that take each side of its decisions.

The values that are tried come from the numbers that the source compares with, from the example and from its scale:
bounded, and drawn from a fixed seed, so that a run can be repeated.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aipc.capture.load import load_model
from aipc.capture.sourcemap import is_library
from aipc.core.config import ModelRef

from .decisions import Decision, Side, constants, instrument, observed, open_sides

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

_SECONDS = 15.0
_MOST_TRIES = 400
_MOST_SETS = 8
_SCALES = (0.01, 0.1, 10.0, 100.0, -0.01, -1.0, -10.0)


@dataclass(frozen=True, slots=True)
class BranchCoverage:
    """``sets``: inputs that take sides which the given ones do not. ``open``: sides that no input was found for."""

    sets: Mapping[str, Arrays]
    open: tuple[Side, ...]


def cover(
    ref: ModelRef, examples: Mapping[str, Arrays], call: Callable[[torch.nn.Module, Mapping[str, Array]], object]
) -> BranchCoverage:
    """Run the original with its decisions observed on the given sets of inputs, then on others, as far as time allows.

    Args:
        examples: set -> tensor -> values, the example first; only floats, integers and booleans are varied.
        call: runs a module on one set of inputs.
    """
    texts, decisions, numbers = _instrumented(ref)
    if not decisions:
        return BranchCoverage({}, ())
    module = load_model(replace(ref, unsaved={**ref.unsaved, **texts})).module
    branches = observed()
    branches.clear()
    for arrays in examples.values():
        _run(module, arrays, call)
    input_sets: dict[str, Arrays] = {}
    until = time.monotonic() + _SECONDS
    for arrays in _candidates(next(iter(examples.values())), numbers):
        left = open_sides(decisions, branches)
        if not left or len(input_sets) == _MOST_SETS or time.monotonic() > until:
            break
        if _run(module, arrays, call) and len(open_sides(decisions, branches)) < len(left):
            input_sets[f"side-{len(input_sets)}"] = arrays
    return BranchCoverage(input_sets, open_sides(decisions, branches))


def _run(
    module: torch.nn.Module, arrays: Arrays, call: Callable[[torch.nn.Module, Mapping[str, Array]], object]
) -> bool:
    before = set(observed())
    try:
        call(module, arrays)
    except Exception:  # what the original does not take is no input of it, and what it reached on the way no side
        observed().clear()
        observed().update(before)
        return False
    return True


def _instrumented(ref: ModelRef) -> tuple[dict[str, str], tuple[Decision, ...], tuple[float, ...]]:
    """The loaded source files of the project with their decisions observed, and the numbers that they compare with."""
    texts: dict[str, str] = {}
    decisions: list[Decision] = []
    numbers: set[float] = set()
    for path in _sources(ref):
        try:
            text = ref.unsaved.get(str(path)) or path.read_text("utf-8")
            texts[str(path)], more = instrument(text, str(path), len(decisions))
        except (OSError, UnicodeDecodeError, SyntaxError, RecursionError):
            continue
        decisions += more
        numbers |= set(constants(text))
    return texts, tuple(decisions), tuple(sorted(numbers))


def _sources(ref: ModelRef) -> list[Path]:
    """The files of the project that were imported; their modules are forgotten, so that they are imported anew."""
    paths = {ref.path}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        path = Path(file) if file else None
        if path and path.suffix == ".py" and path.is_relative_to(ref.root) and not is_library(str(path)):
            paths.add(path)
            del sys.modules[name]
    return sorted(paths)


def _candidates(real: Arrays, numbers: Sequence[float]) -> Iterator[Arrays]:
    """Sets of inputs: each tensor alone, then all together, of what may take another side."""
    rng = np.random.default_rng(0)
    names = [name for name, array in real.items() if array.size]
    tries = [{name: list(_variants(real[name], numbers, rng))} for name in names]
    if len(names) > 1:
        tries.append({name: list(_variants(real[name], numbers, rng)) for name in names})
    count = 0
    for options in tries:
        for number in range(max((len(values) for values in options.values()), default=0)):
            yield {**real, **{name: values[number % len(values)] for name, values in options.items() if values}}
            count += 1
            if count == _MOST_TRIES:
                return


def _variants(array: Array, numbers: Sequence[float], rng: np.random.Generator) -> Iterator[Array]:
    kind, dtype = array.dtype.kind, array.dtype
    if kind == "b":
        yield np.zeros_like(array)
        yield np.ones_like(array)
        for axis in range(array.ndim):
            yield _without_first(array, axis, False)
        yield np.asarray(rng.random(array.shape) < 0.5)
        return
    if kind in "iu":
        low, high = int(array.min()), int(array.max())
        for value in dict.fromkeys((low, high, *(int(item) for item in numbers if low <= item <= high))):
            yield np.full_like(array, value)
        yield rng.integers(low, high + 1, array.shape).astype(dtype)
        return
    if kind != "f":
        return
    scale = float(np.abs(array).max()) or 1.0
    centre = float(array.mean())
    yield np.zeros_like(array)
    for axis in range(array.ndim):
        yield _without_first(array, axis, 0)
    for number in dict.fromkeys((*numbers, *(-item for item in numbers), 0.0)):
        step = max(abs(number), scale) * 0.05
        for offset in (0.0, step, -step):
            yield np.full_like(array, number + offset)
            yield (array - centre + number + offset).astype(dtype)  # the example, moved to there
        yield (number + np.abs(array - array.min()) + step).astype(dtype)  # all of it above
        yield (number - np.abs(array - array.min()) - step).astype(dtype)  # all of it below
    for factor in _SCALES:
        yield (array * factor).astype(dtype)
    for spread in (0.1, 1.0, 10.0):
        yield np.asarray(rng.standard_normal(array.shape) * scale * spread).astype(dtype)


def _without_first(array: Array, axis: int, value: Any) -> Array:
    """The array with the first slice along an axis filled: an empty row of a mask, a silent channel."""
    filled = array.copy()
    filled[(slice(None),) * axis + (0,)] = value
    return filled
