"""Reduce a failing model to the smallest sub-graph that still fails: what a failure capsule holds.

Delta debugging over the nodes in graph order: keep a half, else drop ever smaller chunks, until no single
node can be dropped. A candidate that cannot be tried (``UNKNOWN``) is never taken for a failure, so the
search does not slide into another one. Every candidate is fed with the values that its inputs truly have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from aipc.core.child_process import run_isolated
from aipc.core.errors import AipcError, QairtError
from aipc.debug.types import Reduction
from aipc.graph.extract import subgraph
from aipc.graph.trial import TrialOutcome
from aipc.numerics.cpu import run_cpu
from aipc.numerics.fp16 import ideal_fp16_sqnr
from aipc.numerics.metrics import compare_outputs
from aipc.numerics.node_verdict import IDEAL_MARGIN_DB, SQNR_GATE_DB
from aipc.numerics.npz import write_npz
from aipc.numerics.stepper import Stepper, load
from aipc.qairt.session import open_session
from aipc.qairt.soc import get_soc

Array = np.ndarray[Any, Any]
Predicate = Callable[[Path, Mapping[str, Array]], TrialOutcome]


def reduce_failure(
    model: str | Path,
    inputs: Mapping[str, Array],
    predicate: Predicate,
    out_dir: str | Path,
    *,
    start: Sequence[str] = (),
    seconds: float = 120.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Reduction:
    """The smallest sub-graph found for which ``predicate`` still says ``FAIL``.

    Args:
        model: ONNX file with unique node names, which fails.
        inputs: one array for each graph input, in its shape and dtype.
        predicate: told the path of a candidate and its true inputs; ``compile_outcome`` and
            ``numbers_outcome`` make the two that matter.
        out_dir: where ``reduced.onnx`` and ``reduced.npz`` are written.
        start: names of nodes that are suspected; tried first, alone.
        seconds: when this is over the smallest failure so far is the result (``minimal`` is False).
        on_progress: called with the candidates tried and the nodes that are left.

    Raises:
        QairtError: the model as a whole does not fail, or cannot be cut.
    """
    search = _Search(model, inputs, predicate, Path(out_dir), time.perf_counter() + seconds, on_progress)
    nodes = [node.name for node in search.stepper.model.graph.node]
    suspects = [name for name in nodes if name in set(start)]
    smallest = suspects if suspects and search.fails(suspects) else nodes
    if smallest is nodes and not search.fails(nodes):
        raise QairtError("the model as a whole does not fail in this way: there is nothing to reduce")
    size = max(1, len(smallest) // 2)
    while not search.over:
        smaller = _smaller(smallest, size, search)
        if smaller is not None:
            smallest = smaller
            size = min(size, max(1, len(smallest) // 2))
        elif size == 1:
            break
        else:
            size = max(1, size // 2)
    return search.write(smallest)


def compile_outcome(soc: str, *, seconds: float = 60.0) -> Predicate:
    """Fails when QAIRT cannot compile the candidate for ``soc`` (an error or a crash).

    Each candidate is compiled in a child process: use it in a process that has created no NPU session.
    """

    def outcome(path: Path, inputs: Mapping[str, Array]) -> TrialOutcome:
        result = run_isolated(_compile, str(path), soc, seconds=seconds)
        if result.status == "timeout":
            return TrialOutcome.UNKNOWN
        return TrialOutcome.PASS if result.status == "ok" else TrialOutcome.FAIL

    return outcome


def numbers_outcome(soc: str, *, seconds: float = 60.0) -> Predicate:
    """Fails when any output is below 40 dB and more than 6 dB below ideal fp16 on the simulator.

    Each candidate runs in a child process: use it in a process that has created no NPU session.
    """

    def outcome(path: Path, inputs: Mapping[str, Array]) -> TrialOutcome:
        result = run_isolated(_numbers, str(path), dict(inputs), soc, seconds=seconds)
        return TrialOutcome(result.value) if result.status == "ok" and result.value else TrialOutcome.UNKNOWN

    return outcome


def _compile(path: str, soc: str) -> bool:
    open_session(path, get_soc(soc), verbose=False)
    return True


def _numbers(path: str, inputs: dict[str, Array], soc: str) -> str:
    session = open_session(path, get_soc(soc), verbose=False)
    names = [output.name for output in session.get_outputs()]
    actual = dict(zip(names, session.run(names, inputs), strict=True))
    results = compare_outputs(run_cpu(path, inputs, optimize=False), actual, ideal_fp16_sqnr(path, inputs))
    for result in results:
        ideal = result.ideal_fp16_sqnr_db
        floor = SQNR_GATE_DB if ideal is None else min(SQNR_GATE_DB, ideal - IDEAL_MARGIN_DB)
        if not result.sqnr_db >= floor:
            return TrialOutcome.FAIL.value
    return TrialOutcome.PASS.value


def _smaller(smallest: list[str], size: int, search: _Search) -> list[str] | None:
    """A failing subset: one chunk alone, or everything but one chunk."""
    chunks = [smallest[start : start + size] for start in range(0, len(smallest), size)]
    if len(chunks) < 2:
        return None
    if len(chunks) <= 4:
        for chunk in chunks:
            if search.fails(chunk):
                return chunk
    for chunk in reversed(chunks):
        dropped = set(chunk)
        rest = [name for name in smallest if name not in dropped]
        if search.fails(rest):
            return rest
    return None


class _Search:
    def __init__(
        self,
        model: str | Path,
        inputs: Mapping[str, Array],
        predicate: Predicate,
        out: Path,
        deadline: float,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self.stepper = Stepper(load(model))
        self._inputs = inputs
        self._predicate = predicate
        self._out = out
        self._deadline = deadline
        self._on_progress = on_progress
        self._known: dict[frozenset[str], bool] = {}
        out.mkdir(parents=True, exist_ok=True)
        self._typed = self._with_types()

    @property
    def over(self) -> bool:
        return time.perf_counter() > self._deadline

    def fails(self, names: Sequence[str]) -> bool:
        key = frozenset(names)
        if key in self._known:
            return self._known[key]
        if not names or (self.over and self._known):
            return False
        candidate = self._out / "candidate.onnx"
        try:
            feeds = self._cut(names, candidate)
            failed = self._predicate(candidate, feeds) is TrialOutcome.FAIL
        except AipcError:
            failed = False
        finally:
            candidate.unlink(missing_ok=True)
        self._known[key] = failed
        if self._on_progress is not None:
            self._on_progress(len(self._known), len(names))
        return failed

    def write(self, names: Sequence[str]) -> Reduction:
        model, inputs = self._out / "reduced.onnx", self._out / "reduced.npz"
        feeds = self._cut(names, model)
        write_npz(inputs, feeds)
        return Reduction(
            model=str(model),
            inputs_npz=str(inputs),
            nodes=tuple(names),
            original_nodes=len(self.stepper.model.graph.node),
            tried=len(self._known),
            minimal=not self.over,
        )

    def _cut(self, names: Sequence[str], path: Path) -> dict[str, Array]:
        part = subgraph(self._typed, set(names))
        onnx.save(part, path)
        wanted = {value.name for value in part.graph.input}
        feeds = {name: array for name, array in self._inputs.items() if name in wanted}

        def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
            feeds.update({name: array for name, array in results.items() if name in wanted})

        if wanted - feeds.keys():
            self.stepper.walk(self._inputs, visit=visit)
        return feeds

    def _with_types(self) -> onnx.ModelProto:
        """The model with the dtype and shape that each tensor truly has, where inference may know less."""
        model = onnx.ModelProto()
        model.CopyFrom(self.stepper.model)
        known = {value.name for value in (*model.graph.input, *model.graph.output)}
        del model.graph.value_info[:]

        def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
            for name, array in results.items():
                if name not in known:
                    dtype = helper.np_dtype_to_tensor_dtype(array.dtype)
                    model.graph.value_info.append(helper.make_tensor_value_info(name, dtype, array.shape))

        self.stepper.walk(self._inputs, visit=visit)
        return model
