"""Where and why a captured graph leaves PyTorch on one input set.

Eager PyTorch is run call by call, the graph node by node. Both know the author's expression that made a value: the
first expression, in the order of the calls, whose value no node of that expression has is where they part.
"""

from __future__ import annotations

import linecache
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.capture.runner import TorchRunner
from aipc.capture.sourcemap import load_source_map, origin
from aipc.core.errors import AipcError, QairtError
from aipc.core.types import Origin, OutputAccuracy, Range
from aipc.numerics.metrics import compare_outputs, sqnr_db
from aipc.numerics.stepper import Stepper, load

from .eager import EagerTrace, EagerValue, sampled_array
from .examination import Cause, Divergence

Array = np.ndarray[Any, Any]

_SLACK_DB = 6.0
"""One bit: two correct executions add their rounding."""
_NORMALIZATIONS = frozenset(
    {"GroupNormalization", "InstanceNormalization", "LpNormalization", "MeanVarianceNormalization", "RMSNormalization"}
)
_CLEAR_DB = 60.0
"""A value below this is another one; between this and the gate's threshold it may be rounding that grows later."""


def explain(
    runner: TorchRunner,
    capture: Path,
    arrays: Mapping[str, Array],
    accuracy: Sequence[OutputAccuracy],
    threshold_db: float,
) -> Divergence:
    """The cause of a difference, tried in this order: random numbers, changed state, fp32 itself, the export.

    Args:
        capture: directory with ``model.onnx`` and ``source_map.json``.
        accuracy: the graph's outputs against PyTorch's.
        threshold_db: the SQNR that they should have had.
    """
    trace = EagerTrace(runner.module)
    with trace:
        runner.run(arrays)
    if trace.random:
        return _at(trace.random[0].stack, capture, Cause.RANDOM, f"{trace.random[0].function} draws them")
    if trace.changed:
        buffer, stack = next(iter(trace.changed.items()))
        return _at(stack, capture, Cause.STATE, f"the buffer `{buffer}` is written")
    if repeated := _differs_from_itself(runner, arrays):
        return Divergence(cause=Cause.STATE, detail=repeated)
    place = _first(trace.values, capture, arrays, threshold_db)
    if place.tied:
        return Divergence(cause=Cause.TIES, nodes=place.nodes, value_sqnr_db=place.sqnr_db, detail=place.function)
    floor, exact = _rounding(runner, capture / "model.onnx", arrays)
    same = (exact is not None and exact >= min(threshold_db, floor or threshold_db) - _SLACK_DB) or (
        floor is not None
        and min((item.sqnr_db for item in accuracy), default=-np.inf) >= floor - _SLACK_DB
        and not any(item.nan or item.inf for item in accuracy)
    )
    return Divergence(
        cause=Cause.PRECISION if same else Cause.EXPORT,
        nodes=place.nodes,
        floor_db=floor,
        exact_db=exact,
        value_sqnr_db=place.sqnr_db,
        detail=place.function,
    )


def _differs_from_itself(runner: TorchRunner, arrays: Mapping[str, Array]) -> str:
    """In words, where a second call with the same inputs and random numbers gives something else; else empty."""
    first, second = runner.run(arrays, reset=False), runner.run(arrays)
    for name, value in first.items():
        if value.shape != second[name].shape or not np.array_equal(
            value, second[name], equal_nan=value.dtype.kind == "f"
        ):
            return f"a second call with the same inputs gives another `{name}`"
    return ""


def _at(stack: Any, capture: Path, cause: Cause, detail: str) -> Divergence:
    """A divergence at the captured nodes of one call; without any, the detail names the line."""
    location = origin(stack)
    frame = location.user_frame or (location.frames[0] if location.frames else None)
    if frame is None:
        return Divergence(cause=cause, detail=detail)
    sources = load_source_map(capture / "source_map.json")
    nodes = tuple(name for name, items in sources.nodes.items() if any(_has(item, frame.range) for item in items))
    place = f"{Path(frame.range.file).name}:{frame.range.start.line}"
    text = linecache.getline(frame.range.file, frame.range.start.line)
    return Divergence(cause=cause, nodes=nodes[:8], detail=f"{detail} at {place}", place=frame.range, text=text.strip())


def _has(item: Origin, place: Range) -> bool:
    return any(frame.range == place for frame in item.frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """The first expression whose value differs: its nodes, its SQNR, the PyTorch function there."""

    nodes: tuple[str, ...] = ()
    sqnr_db: float | None = None
    function: str = ""
    tied: bool = False


def _first(values: Sequence[EagerValue], capture: Path, arrays: Mapping[str, Array], threshold_db: float) -> _Place:
    try:
        tensors = _graph_values(capture / "model.onnx", arrays)
    except AipcError:
        return _Place()
    sources = load_source_map(capture / "source_map.json")
    by_frames: dict[tuple[Range, ...], list[str]] = {}
    for node, items in sources.nodes.items():
        for item in items:
            by_frames.setdefault(_frames(item), []).append(node)
    doubtful = _Place()
    for value in values:
        nodes = by_frames.get(_frames(origin(value.stack)), []) if value.stack else []
        candidates = [
            (sqnr_db(value.sample, sample), node)
            for node in nodes
            for shape, sample in tensors.get(node, ())
            if shape == value.shape and sample.size
        ]
        if not candidates:
            continue
        near, node = max(candidates, key=lambda item: item[0] if not np.isnan(item[0]) else -np.inf)
        if near >= threshold_db:
            continue
        # Equal values may come in any order, so their places differ while they themselves do not.
        tied = value.tied and value.sample.dtype.kind in "iu"
        place = _Place(nodes=(node,), sqnr_db=near, function=value.function, tied=tied)
        if not near >= _CLEAR_DB:
            return place
        doubtful = doubtful if doubtful.nodes else place
    return doubtful


def _frames(item: Origin) -> tuple[Range, ...]:
    """The expression and its callers; where the author's code has no part in it, the library's frames."""
    return tuple(frame.range for frame in item.frames)


def _graph_values(model: Path, arrays: Mapping[str, Array]) -> dict[str, list[tuple[tuple[int, ...], Array]]]:
    """Node -> (shape, sample) of each of its outputs, in fp32 on the CPU."""
    values: dict[str, list[tuple[tuple[int, ...], Array]]] = {}

    def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
        values[node.name] = [(array.shape, sampled_array(array)) for array in results.values()]

    Stepper(load(model)).walk(arrays, visit=visit)
    return values


def _rounding(runner: TorchRunner, model: Path, arrays: Mapping[str, Array]) -> tuple[float | None, float | None]:
    """(PyTorch's own floor in fp32, the graph in fp64 against PyTorch in fp64), SQNR in dB (see ``Divergence``).

    The module is in double afterwards. None where something could not be measured.
    """
    reference = runner.run(arrays)
    moved = _worst(reference, _try(lambda: runner.run(_moved(arrays)))) if _has_floats(arrays) else None
    double = _try(lambda: runner.run_double(arrays))
    if double is None:
        return moved, None
    own = _worst(double, reference)
    exact = _worst(double, _try(lambda: _Double(load(model)).walk(arrays, store=_doubled)))
    return min((item for item in (moved, own) if item is not None), default=None), exact


class _Double(Stepper):
    """A graph in fp64. Where onnxruntime has no kernel for it, onnx's reference computes normalizations: kernels in
    fp32 subtract large sums in them. Other nodes are run in fp32."""

    def run_node(self, node: onnx.NodeProto, inputs: Mapping[str, Array]) -> dict[str, Array]:
        try:
            return super().run_node(node, inputs)
        except QairtError:
            exact: dict[str, Array] | None = None
            if node.op_type in _NORMALIZATIONS:
                exact = _try(lambda: self._by_reference(node, inputs))
            if exact is not None:
                return exact
            single = {name: a.astype(np.float32) if a.dtype == np.float64 else a for name, a in inputs.items()}
            return super().run_node(node, single)

    def _by_reference(self, node: onnx.NodeProto, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs of a node by onnx's own evaluator, in the dtype of its inputs."""
        from onnx.reference import ReferenceEvaluator

        answers = ReferenceEvaluator(self.model_of(node, inputs)).run(None, dict(inputs))
        return {name: np.asarray(answer) for name, answer in zip(filter(None, node.output), answers, strict=True)}


def _doubled(name: str, array: Array) -> Array:
    return array.astype(np.float64) if array.dtype == np.float32 else array


def _worst(wanted: Mapping[str, Array], got: Mapping[str, Array] | None) -> float | None:
    if got is None:
        return None
    try:
        return min((item.sqnr_db for item in compare_outputs(wanted, got)), default=None)
    except AipcError:
        return None


def _try(run: Any) -> Any:
    try:
        return run()
    except Exception:
        # A model that makes tensors of fp32 itself does not run in fp64, and one may raise on inputs that were moved.
        return None


def _has_floats(arrays: Mapping[str, Array]) -> bool:
    return any(array.dtype.kind == "f" for array in arrays.values())


def _moved(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Float inputs with every element one rounding step of fp32 away, up or down by chance."""
    rng = np.random.default_rng(0)
    moved: dict[str, Array] = {}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            moved[name] = array
            continue
        finite = np.abs(array[np.isfinite(array)])
        step = 2.0**-23 * (np.abs(array) + (float(finite.max(initial=0.0)) or 1.0) * 2.0**-10)
        moved[name] = (array + np.where(np.isfinite(array), step, 0) * rng.choice([-1, 1], array.shape)).astype(
            array.dtype
        )
    return moved
