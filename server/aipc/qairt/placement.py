"""Ask QAIRT where every node of a graph runs, and collect all of its refusals in one pass.

A graph that cannot even be opened (some refusals abort the session) or finalized is asked again without the nodes that
are to blame, until everything else has an answer.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import onnx

from aipc.core.child_process import run_isolated
from aipc.core.errors import QairtError
from aipc.core.types import NodePlacement, Placement, PlacementReport
from aipc.graph.bisect import smallest_failing_run
from aipc.graph.extract import infer_shapes, subgraph
from aipc.graph.partition import partitions
from aipc.graph.trial import TrialOutcome

from . import log as qnn_log
from .log_capture import LogCapture, LogLine
from .runtime import require_qairt
from .session import SessionAttempt, attempt
from .soc import SoC

_ABORTED_BY = re.compile(r"Node '(?P<name>[^']+)' OpType:(?P<type>\S+) with domain:com\.ms\.internal\.nhwc")
_ATTEMPT_SECONDS = 300.0
_MAX_ROUNDS = 12
_LONG_SECONDS = 8.0


@dataclass(slots=True)
class _State:
    """What is known so far. Nodes in ``failed`` are left out of the next attempt."""

    names: list[str]
    failed: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, tuple[str, ...]] = field(default_factory=dict)
    on_npu: set[str] = field(default_factory=set)
    log: list[LogLine] = field(default_factory=list)


def place(
    model_path: Path,
    soc: SoC,
    *,
    precision: str = "fp16",
    finalize: bool = False,
    isolate: bool = True,
    log_path: Path | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> PlacementReport:
    """Placement of every node of an ONNX model.

    Args:
        model_path: an ONNX file with static shapes and a unique name for every node.
        finalize: also compile the NPU part to the end and find the nodes that fail there.
        isolate: ask in child processes. False in a process that may die, and in one that has a QNN session.
        log_path: where the native log is kept.

    Raises:
        QairtError: QAIRT cannot open the model for a reason that no node explains.
        MissingDependencyError: QAIRT is not installed.
    """
    version = require_qairt()
    model = infer_shapes(onnx.load(str(model_path), load_external_data=False))
    state = _State([node.name for node in model.graph.node])
    with tempfile.TemporaryDirectory() as directory:
        work = _Work(model_path, model, soc, Path(directory), state, isolate)
        progress("asking QAIRT about every node")
        work.validate()
        finalized = False
        if finalize and state.on_npu:
            progress("compiling the NPU part")
            finalized = work.finalize(progress)
    if log_path:
        LogCapture(state.log).write(log_path)
    nodes = tuple(_placement(node, state) for node in model.graph.node)
    count, cuts = partitions(model, {node.node: node.placement for node in nodes})
    return PlacementReport(
        soc=soc.part,
        htp_arch=soc.htp_arch,
        precision=precision,
        qairt=version,
        nodes=nodes,
        npu_partitions=count,
        cuts=cuts,
        finalized=finalized,
        log=str(log_path) if log_path else None,
    )


def _placement(node: onnx.NodeProto, state: _State) -> NodePlacement:
    if node.name in state.failed:
        placement, reason = Placement.FAILS, state.failed[node.name]
    elif node.name in state.on_npu:
        placement, reason = Placement.NPU, None
    else:
        placement, reason = Placement.CPU, state.reasons.get(node.name)
    return NodePlacement(node.name, node.op_type, placement, reason, state.mapping.get(node.name, ()))


@dataclass(frozen=True, slots=True)
class _Work:
    path: Path
    model: onnx.ModelProto
    soc: SoC
    directory: Path
    state: _State
    isolate: bool = True

    def _attempt(
        self,
        model: onnx.ModelProto | None,
        *,
        finalize: bool,
        quick: bool = False,
        seconds: float = _ATTEMPT_SECONDS,
    ) -> SessionAttempt:
        """One attempt in a child process; None stands for the model as it is on disk."""
        path = self.path if model is None else self.directory / "part.onnx"
        if model is not None:
            # External data stays where it is: the part refers to it by absolute location.
            onnx.save(_with_absolute_data(model, self.path.parent), str(path))
        if not self.isolate:
            return attempt(path, self.soc, finalize=finalize, quick=quick)
        outcome = run_isolated(attempt, path, self.soc, finalize=finalize, quick=quick, seconds=seconds)
        if outcome.value is not None:
            return outcome.value
        if outcome.status == "raised":
            raise QairtError("QAIRT could not be asked about this model", detail=outcome.reason)
        return SessionAttempt(f"the compiler {outcome.status}: {outcome.reason}", (), {}, ())

    def _remaining(self) -> onnx.ModelProto | None:
        if not self.state.failed:
            return None
        return subgraph(self.model, set(self.state.names) - self.state.failed.keys())

    def validate(self) -> None:
        state = self.state
        for _ in range(_MAX_ROUNDS):
            answer = self._attempt(self._remaining(), finalize=False)
            state.log.extend(answer.log)
            self._take_reasons(answer)
            if answer.error is None:
                self._take_assignment(answer)
                return
            culprits = self._culprits_of_abort(answer)
            if not culprits:
                raise QairtError(
                    f"QAIRT cannot open this model for {self.soc.title}: {_first_line(answer.error)}",
                    remedy="see the native log for its own words",
                    detail=answer.error,
                )
            state.failed |= culprits
            if len(state.failed) == len(state.names):
                return
        raise QairtError("QAIRT refuses too many nodes of this model one by one", remedy="see the native log")

    def _culprits_of_abort(self, answer: SessionAttempt) -> dict[str, str]:
        """Nodes that made session creation abort, all of one operator type at once when they share the reason."""
        known = dict.fromkeys(self.state.names)
        error = answer.error or ""
        culprits = {}
        if match := _ABORTED_BY.search(error):
            types = {node.name: node.op_type for node in self.model.graph.node}
            refused = [
                name
                for name, reason in self.state.reasons.items()
                if types.get(name) == match["type"] and name not in self.state.failed
            ]
            named = qnn_log.resolve(match["name"], known)
            for name in {*refused, *([named] if named else [])}:
                cause = self.state.reasons.get(name)
                culprits[name] = (
                    f"{match.group(0)} was inserted using the NHWC format as requested by QNN, but was "
                    f"not selected by that EP{f' ({cause})' if cause else ''}"
                )
        return culprits

    def _take_reasons(self, answer: SessionAttempt) -> None:
        known = dict.fromkeys(self.state.names)
        from_log = qnn_log.refusals(answer.log)
        for name, reason in from_log.items():
            if node := qnn_log.resolve(name, known):
                self.state.reasons.setdefault(node, reason)
        for item in answer.trace.get("unsupported_nodes", []):
            node = qnn_log.resolve(item.get("node_name", ""), known)
            if not node or not item.get("reason"):
                continue
            if qnn_log.is_uninformative(item["reason"]):
                self.state.reasons.setdefault(node, item["reason"])
            else:
                self.state.reasons[node] = item["reason"]

    def _take_assignment(self, answer: SessionAttempt) -> None:
        state = self.state
        known = dict.fromkeys(state.names)
        mapping: dict[str, list[str]] = {}
        for part in answer.trace.get("subgraph_traces", []):
            for item in part.get("op_mappings", []):
                for source in item.get("sources", []):
                    if node := qnn_log.resolve(source.get("name", ""), known):
                        mapping.setdefault(node, []).append(item.get("dst_qnn_op_type", ""))
        state.mapping = {node: tuple(ops) for node, ops in mapping.items()}
        on_cpu = set()
        for provider, name, _ in answer.assignment:
            node = qnn_log.resolve(name, known)
            if node is None:
                # Inserted by the provider, such as a transpose between layouts: it costs what a node costs.
                node = None if provider == "QNN" else self._before(name, answer)
                if node is not None:
                    on_cpu.add(node)
                    reason = qnn_log.refusals(answer.log).get(name) or f"{name} is not selected"
                    state.reasons[node] = f"QNN's provider inserts {name} behind it, which runs on the CPU: {reason}"
                continue
            if provider == "QNN":
                state.on_npu.add(node)
            else:
                on_cpu.add(node)
        # onnxruntime folds and removes nodes before it assigns them: such a node costs nothing anywhere, and counts
        # with the NPU unless QAIRT refused it.
        vanished = set(state.names) - state.on_npu - on_cpu - state.failed.keys()
        state.on_npu |= {name for name in vanished if name not in state.reasons}
        state.on_npu -= on_cpu

    def _before(self, inserted: str, answer: SessionAttempt) -> str | None:
        """The node whose result an ``inserted`` node reads."""
        makers = {output: node.name for node in self.model.graph.node for output in node.output}
        known = dict.fromkeys(self.state.names)
        for tensor in qnn_log.inputs_of(answer.log, inserted):
            maker = makers.get(tensor) or qnn_log.resolve(tensor, known)
            if maker is not None:
                return maker
        return None

    def finalize(self, progress: Callable[[str], None]) -> bool:
        """Compile to the end. True when everything that is left compiles.

        The first verdict is the default preparation's. Where that takes long, the search for further nodes goes on
        with the quick one, and then nothing is said of the rest.
        """
        state = self.state
        quick = False
        for _ in range(_MAX_ROUNDS):
            started = time.monotonic()
            answer = self._attempt(self._remaining(), finalize=True, quick=quick)
            state.log.extend(answer.log)
            if answer.error is None:
                return not quick
            quick = quick or time.monotonic() - started > _LONG_SECONDS
            known = dict.fromkeys(name for name in state.names if name in state.on_npu)
            named = qnn_log.finalize_failures(answer.log, known)
            cause = qnn_log.finalize_cause(answer.log) or _first_line(answer.error)
            if not named:
                # Without fp16 everything in floating point is to blame: there is nothing to search for.
                if self.soc.fp16 != "yes":
                    named = dict.fromkeys(known, cause)
                else:
                    progress("QAIRT does not say which node fails: searching")
                    named = dict.fromkeys(self._search(list(known)), cause)
            state.failed |= named
            state.on_npu -= named.keys()
            if not state.on_npu:
                return False
        return False

    def _search(self, names: list[str]) -> tuple[str, ...]:
        def test(part: onnx.ModelProto) -> TrialOutcome:
            answer = self._attempt(part, finalize=True, seconds=60.0)
            return TrialOutcome.PASS if answer.error is None else TrialOutcome.FAIL

        return smallest_failing_run(self.model, names, test)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no message"


def _with_absolute_data(model: onnx.ModelProto, base: Path) -> onnx.ModelProto:
    for tensor in model.graph.initializer:
        for item in tensor.external_data:
            if item.key == "location" and not Path(item.value).is_absolute():
                item.value = str(base / item.value)
    return model
