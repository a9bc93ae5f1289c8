"""Measure a task metric over held-out samples, as a job: the author's function runs in a worker only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.errors import InputError
from aipc.core.types import Event
from aipc.numerics.npz import read_npz

from .quantization_results import TaskMetric


def measure(
    report: Callable[[Event], None],
    *,
    metric: str,
    root: str,
    references: Sequence[str],
    actuals: Sequence[str],
) -> TaskMetric:
    """What ``metric`` says of the package's outputs against PyTorch's.

    Args:
        metric: ``classification``, ``detection``, or ``file.py:name``, a function of two lists with one mapping
            (output name -> array) a sample, the first PyTorch's: it returns a number, more is better, or a mapping of
            such numbers of which the first counts.
        root: what the file is relative to.
        references, actuals: ``.npz`` files, one a sample, in one order.

    Raises:
        InputError: there is no such metric, it raised (at its line), or what it returns is no number.
    """
    report(Event("metric", f"measuring {metric}"))
    function, builtin = _find(metric, Path(root))
    wanted, got = [read_npz(path) for path in references], [read_npz(path) for path in actuals]
    try:
        value = function(wanted, got)
    except Exception as error:
        if builtin or isinstance(error, InputError):
            raise
        from aipc.capture.load import innermost_user_range

        lines = str(error).strip().splitlines()
        raise InputError(
            f"the metric {metric} raised {type(error).__name__}: {lines[0] if lines else 'no message'}",
            remedy="correct the function",
            range=innermost_user_range(error),
        ) from error
    name = metric if builtin else metric.rpartition(":")[2]
    result = _result(name, value, len(wanted))
    try:
        return replace(result, own=_result(name, function(wanted, wanted), len(wanted)).value)
    except Exception:
        # A function that compares with PyTorch may have nothing to say of PyTorch itself.
        return result


def _find(metric: str, root: Path) -> tuple[Callable[..., Any], bool]:
    from .tasks import BUILT_IN

    if metric in BUILT_IN:
        return BUILT_IN[metric], True
    file, _, name = metric.rpartition(":")
    if not file or not name:
        known = ", ".join(BUILT_IN)
        raise InputError(f"there is no metric called {metric!r}", remedy=f'use {known}, or "file.py:name"')
    path = (root / file).resolve()
    if not path.is_file():
        raise InputError(f"there is no file {path}, which the metric {metric!r} names", remedy="check the path")
    from aipc.capture.load import import_file

    function = getattr(import_file(path, root), name, None)
    if not callable(function):
        raise InputError(f"there is no function {name} in {path}", remedy=f"define {name}(references, outputs)")
    return function, False


def _result(name: str, value: Any, samples: int) -> TaskMetric:
    figures = dict(value) if isinstance(value, Mapping) else {name: value}
    try:
        numbers = {str(key): float(item) for key, item in figures.items()}
        first, number = next(iter(numbers.items()))
    except (TypeError, ValueError, StopIteration):
        raise InputError(
            f"the metric {name} returned {value!r:.80}, which is no number", remedy="return a number: more is better"
        ) from None
    if not math.isfinite(number):
        raise InputError(f"the metric {name} returned {number}", remedy="return a finite number: more is better")
    return TaskMetric(first, number, samples, None, {key: item for key, item in numbers.items() if key != first})
