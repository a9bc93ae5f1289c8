"""Which way to find ranges suits a model: the quantized graphs themselves are run, on the CPU, and compared with fp32.

What is best for each tensor alone (``mse``) need not be best for the outputs: a far value that is rare may be what they
hang on. The samples are of those that calibrated; what is held out is not touched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import onnx

from aipc.core.types import Event
from aipc.graph.save_graph import save_graph
from aipc.numerics.samples import on_cpu

from .plan import RangeMethod

Report = Callable[[Event], None]
T = TypeVar("T")

CANDIDATES: tuple[RangeMethod, ...] = ("mse", "minmax", "percentile", "entropy")
_MARGIN_DB = 0.2
"""Less than this is chance: the first stays."""


def best_ranges(
    report: Report,
    write: Callable[[RangeMethod], T],
    graph_of: Callable[[T], onnx.ModelProto],
    probes: Sequence[tuple[Path, Path]],
) -> tuple[T, str]:
    """What ``write`` makes of the method whose worst output is nearest to fp32 on ``probes``; a note of the figures.

    Args:
        write: quantizes with a method. graph_of: the graph of what it made.
        probes: samples with the float graph's outputs for them. Fewer than two tell nothing: the first method is taken.
    """
    if len(probes) < 2:
        return write(CANDIDATES[0]), ""
    best: tuple[float, RangeMethod, T] | None = None
    figures = []
    for method in CANDIDATES:
        result = write(method)
        reached = _reached(report, graph_of(result), probes)
        figures.append(f"{method} {reached:.1f} dB")
        if best is None or reached > best[0] + _MARGIN_DB:
            best = (reached, method, result)
    assert best is not None
    return best[2], f"ranges by {best[1]}, the nearest on {len(probes)} calibration samples: {', '.join(figures)}"


def _reached(report: Report, model: onnx.ModelProto, probes: Sequence[tuple[Path, Path]]) -> float:
    with tempfile.TemporaryDirectory(prefix="aipc-ranges-") as folder:
        path = Path(folder) / "model.onnx"
        save_graph(model, path, keep=True)
        samples, references = zip(*((str(sample), str(answer)) for sample, answer in probes), strict=True)
        reached = on_cpu(report, model=str(path), samples=samples, references=references)
    return min(output.sqnr_db for output in reached)
