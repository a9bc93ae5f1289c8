"""Find the nodes whose own numbers are wrong on the NPU, on the simulator.

Every distinct node is run alone, with the inputs it truly has in fp32 (from a CPU run), and judged against
fp32 and against a correctly rounded fp16 execution (``judge``). So an error that a node makes is told from
one it inherits, and rounding from wrong. What only happens between nodes (a fusion, for example) is found
by ``divergence``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.core.errors import QairtError
from aipc.debug.types import Localization
from aipc.numerics.cpu import Arrays
from aipc.numerics.fp16 import exact_tensors
from aipc.numerics.node_verdict import Sample, badness, judge
from aipc.numerics.stepper import Stepper, load, reads
from aipc.numerics.types import NodeNumerics, Verdict
from aipc.qairt.session import open_session
from aipc.qairt.soc import SoC, get_soc

from .single_nodes import Probe, boundary_inputs, join, make_probe, probe_name, signature, with_moved
from .taps import Tapped, tap

Array = np.ndarray[Any, Any]

_BATCH_NODES = 64
_BATCH_BYTES = 256 << 20
_CONFIRMED_TAPS = 24
_CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which node stands for each signature, and the nodes that need no run."""

    signatures: Mapping[str, bytes]
    chosen: Mapping[bytes, str]
    constants: frozenset[str]


def localize(
    model: str | Path,
    inputs: Mapping[str, Array],
    soc: str,
    *,
    boundary: bool = False,
    confirm: bool = True,
    seconds: float | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> Localization:
    """Judge every node of ``model`` by its own numbers on the simulator of ``soc``.

    Args:
        model: ONNX file with unique node names; not a compiled one.
        inputs: one array for each graph input, in its shape and dtype.
        boundary: also run each node on boundary values (zeros of both signs, halves, negative, tiny, large).
        confirm: look at nodes that are wrong alone in the whole graph too, and acquit the right ones.
        seconds: stop after this time; nodes not reached are ``UNKNOWN``.
        on_progress: called with the fraction done and what is being run.

    Returns:
        A verdict for every node, in graph order; ``divergence`` is None (see
        ``divergence.first_divergence``).

    Raises:
        ModelLoadError, InputError, UnknownSoCError; QairtError when the CPU provider cannot run the model.
    """
    started = time.perf_counter()
    chip = get_soc(soc)
    stepper = Stepper(load(model))
    plan = _make_plan(stepper, inputs)
    runner = _Runner(stepper, chip, started + seconds if seconds is not None else None)
    total = max(1, len(plan.chosen))
    exact = exact_tensors(stepper)

    def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
        sign = plan.signatures.get(node.name)
        if sign is None or plan.chosen[sign] != node.name:
            return
        runner.add(make_probe(stepper, node, arguments, results, plan.constants, exact))
        if boundary:
            dynamic = {name: array for name, array in arguments.items() if name not in plan.constants}
            changed = {**arguments, **boundary_inputs(dynamic)}
            try:
                expected = stepper.run_node(node, changed)
                runner.add(make_probe(stepper, node, changed, expected, plan.constants, exact))
            except QairtError:
                pass  # such inputs do not suit this node; its true ones were run
        if on_progress is not None:
            on_progress(min(1.0, len(runner.results) / total), node.name)

    stepper.walk(inputs, visit=visit)
    runner.flush()
    nodes = [_result(node, plan, runner.results) for node in stepper.model.graph.node]
    if confirm and (runner.deadline is None or time.perf_counter() < runner.deadline):
        nodes = _confirm(stepper, nodes, inputs, chip)
    return Localization(tuple(nodes), None, time.perf_counter() - started, runner.sessions)


def _confirm(stepper: Stepper, nodes: list[NodeNumerics], inputs: Mapping[str, Array], soc: SoC) -> list[NodeNumerics]:
    """Acquit nodes that are wrong alone and right in the whole graph.

    The compiler gives a node the layout of its neighbours: an edge-mode Pad, for example, is wrong only on
    the innermost axis, and that axis is another one beside a convolution.
    """
    accused = {item.node: item.output for item in nodes if item.verdict is Verdict.WRONG and item.output}
    taps = list(dict.fromkeys(accused.values()))[:_CONFIRMED_TAPS]
    if not taps:
        return nodes
    try:
        tapped = tap(stepper, taps, inputs, soc)
    except QairtError:
        return nodes  # what the nodes do alone is all that can be known
    return [
        _reconsider(item, tapped[item.output]) if item.node in accused and item.output in tapped else item
        for item in nodes
    ]


def _reconsider(item: NodeNumerics, value: Tapped) -> NodeNumerics:
    sample = Sample({item.output: value.true}, [{item.output: value.ideal}])
    whole = judge(item.node, item.op_type, sample, {item.output: value.actual})
    if whole.verdict is Verdict.WRONG:
        return replace(item, detail="wrong alone and in the whole graph")
    return replace(whole, measured_on=item.measured_on, detail="wrong alone, right in the whole graph")


def _make_plan(stepper: Stepper, inputs: Mapping[str, Array]) -> _Plan:
    constants = set(stepper.constants)
    digests: dict[str, bytes] = {}
    signatures: dict[str, bytes] = {}
    chosen: dict[bytes, tuple[float, str]] = {}

    def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
        if all(name in constants for name in reads(node)) and node.op_type not in _RANDOM:
            constants.update(results)
            return
        if node.op_type in _CONTROL_FLOW:
            return
        sign = signature(node, arguments, frozenset(constants), digests)
        signatures[node.name] = sign
        # Of equal nodes the one with the largest values is the one that fp16's range hurts most.
        reach = max((_reach(array) for array in (*arguments.values(), *results.values())), default=0.0)
        if sign not in chosen or reach > chosen[sign][0]:
            chosen[sign] = (reach, node.name)

    stepper.walk(inputs, visit=visit)
    return _Plan(signatures, {sign: name for sign, (_, name) in chosen.items()}, frozenset(constants))


_RANDOM = (
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Bernoulli",
    "Multinomial",
)


def _reach(array: Array) -> float:
    if array.dtype.kind != "f" or not array.size:
        return 0.0
    peak = float(np.abs(array).max())
    return peak if np.isfinite(peak) else 0.0


def _result(node: onnx.NodeProto, plan: _Plan, results: Mapping[str, NodeNumerics]) -> NodeNumerics:
    if node.name not in plan.signatures:
        if node.op_type in _CONTROL_FLOW:
            detail = "control flow: not run alone"
            return NodeNumerics(node.name, node.op_type, Verdict.UNKNOWN, detail=detail)
        return NodeNumerics(node.name, node.op_type, Verdict.OK, detail="constant: folded before compiling")
    measured = results[plan.chosen[plan.signatures[node.name]]]
    return replace(measured, node=node.name, output=_own_output(node, measured))


def _own_output(node: onnx.NodeProto, measured: NodeNumerics) -> str:
    # ``output`` of a node that shares another's verdict is the tensor at the same position; judged by
    # index there.
    position = measured.output.rpartition("#")[2]
    return node.output[int(position)] if position.isdigit() and int(position) < len(node.output) else ""


class _Runner:
    """Collects probes and runs them in batches; splits a batch that fails until the failing probe is
    alone.
    """

    def __init__(self, stepper: Stepper, soc: SoC, deadline: float | None) -> None:
        self._stepper = stepper
        self._exact = exact_tensors(stepper)
        self._soc = soc
        self.deadline = deadline
        self._waiting: list[Probe] = []
        self.results: dict[str, NodeNumerics] = {}
        self.sessions = 0

    def add(self, probe: Probe) -> None:
        self._waiting.append(probe)
        if len(self._waiting) >= _BATCH_NODES or sum(item.nbytes for item in self._waiting) > _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        batch, self._waiting = self._waiting, []
        self._run(batch)

    def _run(self, batch: list[Probe]) -> None:
        if not batch:
            return
        if self.deadline is not None and time.perf_counter() > self.deadline:
            for probe in batch:
                self._keep(_unknown(probe, "not run: out of time"))
            return
        try:
            outputs, on_cpu = self._simulate(batch)
        except Exception as error:
            if len(batch) == 1:
                self._keep(_unknown(batch[0], str(error).strip().splitlines()[0]))
                return
            middle = len(batch) // 2
            self._run(batch[:middle])
            self._run(batch[middle:])
            return
        for index, probe in enumerate(batch):
            prefix = probe_name(index)
            if prefix in on_cpu:
                self._keep(replace(_unknown(probe, "not placed on the NPU"), verdict=Verdict.CPU))
                continue
            actual = {name: outputs[f"{prefix}/{name}"] for name in probe.sample.expected}
            verdict = judge(probe.node.name, probe.node.op_type, probe.sample, actual)
            if verdict.verdict is not Verdict.OK:
                moved = with_moved(self._stepper, probe, self._exact)
                verdict = judge(probe.node.name, probe.node.op_type, moved.sample, actual)
            position = list(probe.node.output).index(verdict.output)
            self._keep(replace(verdict, output=f"#{position}"))

    def _simulate(self, batch: list[Probe]) -> tuple[Arrays, frozenset[str]]:
        self.sessions += 1
        model, feeds = join(batch, self._stepper.model)
        with tempfile.TemporaryDirectory(prefix="aipc-numerics-") as directory:
            path = Path(directory) / "probes.onnx"
            path.write_bytes(model)
            session = open_session(
                path, self._soc, config={"session.record_ep_graph_assignment_info": "1"}, verbose=False
            )
        on_cpu = frozenset(
            node.name[: len(probe_name(0))]
            for part in session.get_provider_graph_assignment_info()
            if part.ep_name == "CPUExecutionProvider"
            for node in part.get_nodes()
        )
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds), strict=True)), on_cpu

    def _keep(self, result: NodeNumerics) -> None:
        known = self.results.get(result.node)
        if known is None or badness(result) > badness(known):
            self.results[result.node] = result


def _unknown(probe: Probe, detail: str) -> NodeNumerics:
    return NodeNumerics(
        probe.node.name, probe.node.op_type, Verdict.UNKNOWN, detail=detail, measured_on=probe.node.name
    )
