"""A metric of both, its intervals, and the samples that it is worst on."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aipc.capture.load import import_file
from aipc.core.errors import InputError, MissingDependencyError
from aipc.core.types import Event
from aipc.numerics.npz import read_npz
from aipc.quantize.calibrate.sources import raised

from .data import load_target
from .evaluation_report import Interval, Scores, WorstSample
from .metrics import Metric, get_metric, metric_names
from .metrics._metric import mean

_Z = 1.959964
"""Of the standard normal distribution, for 95 %."""
_PICTURE_SIZE = 160


def score(
    report: Callable[[Event], None],
    *,
    samples: Sequence[tuple[str, str, str, str]],
    metric: str,
    decode: str | None,
    root: str,
    seed: int,
    worst: int,
) -> Scores:
    """Score PyTorch's and the package's outputs.

    Args:
        samples: for each one the files of its inputs, PyTorch's outputs, the package's outputs, and its target.
        metric: a ready one, or ``file.py:name``, a function of (outputs, target) that returns a number;
            more is better.
        decode: ``file.py:name``, a function of the outputs by name whose result the metric takes instead of them.
        root: what files are relative to.

    Raises:
        InputError: there is no such metric, it raised, or it does not fit the outputs.
        MissingDependencyError: a library of the metric is not installed.
    """
    chosen = _metric(metric, Path(root))
    decoder = _function(decode, Path(root), "decoder") if decode else None
    both: list[list[Any]] = [[], []]
    for number, (_, reference, package, target) in enumerate(samples):
        report(Event("evaluate", f"scoring sample {number + 1} of {len(samples)}", number / len(samples)))
        wanted = load_target(Path(target))
        for statistics, file in zip(both, (reference, package), strict=True):
            try:
                outputs = read_outputs(file)
                statistics.append(chosen.statistic(decoder(outputs) if decoder else outputs, wanted))
            except Exception as error:
                raise raised(error, f"the metric {metric}, on sample {number},") from error
    first, second = both
    values = [chosen.total(statistics) for statistics in both]
    intervals = _intervals(chosen, first, second, seed)
    return Scores(
        metric=chosen.name,
        unit=chosen.unit,
        more_is_better=chosen.more_is_better,
        samples=len(samples),
        reference=values[0],
        reference_interval=intervals[0],
        package=values[1],
        package_interval=intervals[1],
        difference=values[1] - values[0],
        difference_interval=intervals[2],
        worst=tuple(_worst(chosen, first, second, samples, worst)),
    )


def check_metric(report: Callable[[Event], None], *, metric: str, decode: str | None, root: str) -> None:
    """Find the metric and the decoder, before anything is run for them.

    Raises:
        InputError: there is no such metric or decoder.
        MissingDependencyError: a library of the metric is not installed.
    """
    _metric(metric, Path(root))
    if decode:
        _function(decode, Path(root), "decoder")


def read_outputs(file: str) -> Any:
    """Arrays by name of a model, the text of an application."""
    return json.loads(Path(file).read_text("utf-8")) if file.endswith(".json") else read_npz(file)


def _metric(text: str, root: Path) -> Metric:
    if ".py:" in text:
        return Metric(name=text.rpartition(":")[2], statistic=_number(_function(text, root, "metric")), total=mean)
    if text not in metric_names():
        raise InputError(
            f"there is no metric {text!r}", remedy=f"use one of {', '.join(metric_names())}, or file.py:name"
        )
    try:
        return get_metric(text)
    except ImportError as error:
        raise MissingDependencyError(
            f"the metric {text} needs {error.name}, which is not installed", remedy="run pip install 'aipc[evaluate]'"
        ) from error


def _function(text: str, root: Path, kind: str) -> Callable[..., Any]:
    file, _, name = text.rpartition(":")
    path = (root / Path(file).expanduser()).resolve()
    function = getattr(import_file(path, root), name, None) if path.is_file() else None
    if not callable(function):
        raise InputError(f"the {kind} {text!r} is no function that can be found", remedy="name it as file.py:function")
    metric: Callable[..., Any] = function
    return metric


def _number(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], float]:
    def call(outputs: Any, target: Any) -> float:
        value = float(function(outputs, target))
        if not math.isfinite(value):
            raise InputError(f"it returned {value}", remedy="return a finite number: more is better")
        return value

    return call


def _intervals(metric: Metric, first: list[Any], second: list[Any], seed: int) -> tuple[Interval, Interval, Interval]:
    """Of PyTorch's figure, the package's, and their difference; the same samples are drawn for both."""
    rng = np.random.default_rng(seed)
    totals = []
    for _ in range(metric.resamples):
        drawn = rng.integers(0, len(first), len(first))
        totals.append([metric.total([statistics[index] for index in drawn]) for statistics in (first, second)])
    figures = np.array(totals)
    ends = [_percentiles(values) for values in (figures[:, 0], figures[:, 1], figures[:, 1] - figures[:, 0])]
    if metric.proportion:
        ends[:2] = [_wilson(mean(statistics), len(statistics)) for statistics in (first, second)]
    return ends[0], ends[1], ends[2]


def _percentiles(values: np.ndarray[Any, Any]) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _wilson(share: float, count: int) -> Interval:
    """Wilson's score interval (1927): it stays wide where all samples agree."""
    centre = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _worst(
    metric: Metric, first: list[Any], second: list[Any], samples: Sequence[tuple[str, str, str, str]], most: int
) -> list[WorstSample]:
    """The samples where the package loses most against PyTorch, then those that it does worst on."""
    sign = 1.0 if metric.more_is_better else -1.0
    pairs = [(metric.score(a), metric.score(b)) for a, b in zip(first, second, strict=True)]
    order = sorted(
        range(len(pairs)), key=lambda index: (sign * (pairs[index][1] - pairs[index][0]), sign * pairs[index][1])
    )
    return [
        WorstSample(
            number=index,
            reference=pairs[index][0],
            package=pairs[index][1],
            target=_shapes_of(load_target(Path(samples[index][3]))),
            picture=picture_of(samples[index][0]),
        )
        for index in order[:most]
    ]


def _shapes_of(target: Any) -> str:
    if isinstance(target, dict):
        return ", ".join(f"{name} {list(value.shape)}" for name, value in target.items())
    return f"array {list(target.shape)}" if hasattr(target, "shape") else str(target)[:200]


def picture_of(inputs: str) -> str:
    """The first input of one or three channels as a small PNG in base64, its values stretched to its range; else ""."""
    from PIL import Image

    if not inputs.endswith(".npz"):
        return ""
    for array in read_npz(inputs).values():
        if array.ndim == 4 and array.shape[0] == 1 and array.shape[1] in {1, 3}:
            pixels = array[0].astype(np.float64)
            low, high = float(pixels.min()), float(pixels.max())
            if low >= 0.0 and high <= 1.0:
                low, high = 0.0, 1.0
            scaled = (255 * (pixels - low) / max(high - low, 1e-12)).round().astype(np.uint8).transpose(1, 2, 0)
            picture = Image.fromarray(scaled if scaled.shape[2] == 3 else scaled[:, :, 0])
            picture.thumbnail((_PICTURE_SIZE, _PICTURE_SIZE))
            stream = io.BytesIO()
            picture.save(stream, "PNG")
            return base64.b64encode(stream.getvalue()).decode()
    return ""
