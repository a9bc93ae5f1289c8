"""Prove a rewrite on the nodes that it replaced: equal in fp32, taken by the NPU, and right on the simulator.

Both sides are cut out of their graphs and run alone, on the tensors that the model truly puts there and on boundary
values. What is proved is what is deployed: the very nodes, shapes and constants of the rewritten graph.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.core.child_process import run_isolated
from aipc.core.errors import AipcError, QairtError
from aipc.core.types import Placement
from aipc.numerics.cpu import open_cpu, run_cpu, run_session
from aipc.numerics.fp16 import run_ideal_fp16
from aipc.numerics.metrics import accuracy, sqnr_db
from aipc.numerics.node_verdict import IDEAL_MARGIN_DB, SQNR_GATE_DB, Sample, judge
from aipc.numerics.stepper import Stepper
from aipc.numerics.types import NodeNumerics, Verdict
from aipc.qairt.placement import place
from aipc.qairt.runtime import require_qairt
from aipc.qairt.session import open_session
from aipc.qairt.soc import SoC, get_soc

from .boundary import NON_FINITE, proof_sets
from .proofs import Check, Exactness, NonFinite, Proof

Array = np.ndarray[Any, Any]
Arrays = dict[str, Array]

ROUNDING_DB = 90.0
"""Two fp32 executions of one function agree to 95 dB and more, where fp16 has 70."""
_USABLE_DB = 20.0
_IEEE_MAX = 65504.0
_SECONDS = 300.0
_NOTHING = 1e-30
_OF_A_SITE = ("true", "near", "infinite")


def prove(
    before: onnx.ModelProto,
    after: onnx.ModelProto,
    inputs: Mapping[str, Array],
    soc: str,
    *,
    exactness: Exactness,
    rules: Sequence[str] = (),
    nodes: Sequence[str] = (),
    excludes: NonFinite = NonFinite.NONE,
    bound_db: float | None = None,
    context: tuple[onnx.ModelProto, onnx.ModelProto] | None = None,
    simulate: bool = True,
) -> Proof:
    """Hold ``after`` against ``before``, two small models with equal output names.

    Args:
        inputs: a true value for every input of either model.
        excludes: numbers that the graph guarantees not to be in what the rewrite reads; all others are tried.
        bound_db: SQNR in fp32 that an approximate rewrite has to keep.
        simulate: False compares in fp32 only, on true, near and infinite inputs: for a site whose class is proved.
        context: both models with the nodes that read their results: some forms fail only beside certain others.

    Returns:
        A proof; where a check fails, those after it are not made.
    """
    started = time.perf_counter()
    chip = get_soc(soc)
    checks: list[Check] = []
    placement: Mapping[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="aipc-proof-") as directory:
        bench = _Bench(before, after, Path(directory), chip)
        sets = {"true": dict(inputs), **bench.legal(proof_sets(before, bench.read(inputs), excludes))}
        if not simulate:
            sets = {name: values for name, values in sets.items() if name in _OF_A_SITE}
        for name, values in sets.items():
            checks.append(_equal(bench, name, values, exactness, bound_db))
            if not checks[-1].ok:
                break
        else:
            if simulate:
                check, placement = _placed(bench)
                checks.append(check)
                if check.ok:
                    checks.extend(_simulated(bench, sets))
        if simulate and context is not None and all(check.ok for check in checks):
            (Path(directory) / "context").mkdir()
            around = _Bench(*context, Path(directory) / "context", chip)
            checks.extend(_simulated(around, {"true": dict(inputs)}, " beside its readers"))
    seconds = round(time.perf_counter() - started, 3)
    return Proof(tuple(rules), tuple(nodes), chip.part, require_qairt(), exactness, tuple(checks), placement, seconds)


class _Bench:
    """The two models on disk, and what they give on a set of inputs."""

    def __init__(self, before: onnx.ModelProto, after: onnx.ModelProto, directory: Path, soc: SoC) -> None:
        self.soc = soc
        self.paths = {"before": directory / "before.onnx", "after": directory / "after.onnx"}
        self.models = {"before": before, "after": after}
        self.root = before.graph.node[0].op_type if before.graph.node else ""
        for side, model in self.models.items():
            onnx.save(model, str(self.paths[side]))
        self.looks_for_non_finite = any(node.op_type in ("IsInf", "IsNaN") for node in before.graph.node)
        left = {value.name for value in after.graph.output}
        weights = {tensor.name for tensor in (*before.graph.initializer, *after.graph.initializer)}
        read = {value.name for value in before.graph.input}
        inner = {name for node in before.graph.node for name in node.output}
        self.inner = [value for value in after.graph.input if value.name not in read | weights]
        """What ``after`` reads and ``before`` computes on its way."""
        unknown = [value.name for value in self.inner if value.name not in inner]
        if unknown:
            raise QairtError(f"the rewritten part reads {unknown[0]!r}, which the original does not compute")
        self.outputs = [value.name for value in before.graph.output if value.name in left]
        self._true: dict[tuple[str, str], Arrays] = {}
        self._sessions: dict[str, Any] = {}

    def read(self, values: Mapping[str, Array]) -> Arrays:
        """What both sides read of ``values``."""
        names = {value.name for model in self.models.values() for value in model.graph.input}
        return {name: array for name, array in values.items() if name in names}

    def legal(self, sets: Mapping[str, Arrays]) -> dict[str, Arrays]:
        """The sets on which the original does not stop: a division by zero of integers ends the process."""
        if not any(node.op_type in ("Div", "Mod") for node in self.models["before"].graph.node):
            return dict(sets)
        path = self.paths["before"]

        def stops(values: Arrays) -> bool:
            feeds = self.feeds("before", values)
            return run_isolated(run_cpu, path, feeds, optimize=False, seconds=_SECONDS).status == "crashed"

        return {name: values for name, values in sets.items() if not stops(values)}

    def feeds(self, side: str, values: Mapping[str, Array]) -> Arrays:
        weights = {tensor.name for tensor in self.models[side].graph.initializer}
        names = [value.name for value in self.models[side].graph.input if value.name not in weights]
        if side == "after" and self.inner:
            values = {**values, **self._computed(values)}
        return {name: values[name] for name in names}

    def _computed(self, values: Mapping[str, Array]) -> Arrays:
        wanted = {value.name for value in self.inner}
        arrays: Arrays = {}

        def visit(node: onnx.NodeProto, arguments: Mapping[str, Array], results: Mapping[str, Array]) -> None:
            arrays.update({name: array for name, array in results.items() if name in wanted})

        Stepper(self.models["before"]).walk(self.feeds("before", values), visit=visit)
        return arrays

    def true(self, side: str, label: str, values: Mapping[str, Array]) -> Arrays:
        """Outputs in fp32 on the CPU."""
        if (side, label) not in self._true:
            if side not in self._sessions:
                self._sessions[side] = open_cpu(self.paths[side], optimize=False)
            self._true[side, label] = run_session(self._sessions[side], self.feeds(side, values))
        return self._true[side, label]

    def ideal(self, side: str, values: Mapping[str, Array]) -> Arrays:
        return run_ideal_fp16(Stepper(self.models[side]), self.feeds(side, values))


def _equal(
    bench: _Bench, label: str, values: Mapping[str, Array], exactness: Exactness, bound_db: float | None
) -> Check:
    name = f"equal on {label} inputs"
    try:
        wanted, got = bench.true("before", label, values), bench.true("after", label, values)
    except AipcError as error:
        if label != "true" and _raises(bench, label, values):
            return Check(name, True, wanted="both refuse such inputs", words=str(error))
        return Check(name, False, words=str(error))
    figures = []
    for output in bench.outputs:
        if wanted[output].shape != got[output].shape or wanted[output].dtype != got[output].dtype:
            message = f"{output} is {got[output].dtype}{list(got[output].shape)} instead of "
            message += f"{wanted[output].dtype}{list(wanted[output].shape)}"
            return Check(name, False, words=message)
        figures.append(accuracy(output, *_comparable(label, wanted[output], got[output])))
    if exactness is Exactness.EXACT:
        same = all(
            np.array_equal(wanted[item], got[item], equal_nan=wanted[item].dtype.kind == "f") for item in bench.outputs
        )
        return Check(name, same, tuple(figures), "bit for bit")
    level = ROUNDING_DB if exactness is Exactness.ROUNDING or bound_db is None else bound_db
    ok = all(item.sqnr_db >= level and not item.nan + item.inf for item in figures)
    return Check(name, ok, tuple(figures), f"SQNR {level:g} dB")


def _comparable(label: str, wanted: Array, got: Array) -> tuple[Array, Array]:
    """Far out the original itself may overflow fp32 where the rewrite does not, or leave e^-80 where that has zero."""
    if label != "far" or wanted.dtype.kind != "f":
        return wanted, got
    finite = np.isfinite(wanted)
    first, second = (np.where(finite & (np.abs(array) > _NOTHING), array, 0) for array in (wanted, got))
    return first, second


def _raises(bench: _Bench, label: str, values: Mapping[str, Array]) -> bool:
    try:
        bench.true("before", label, values)
    except AipcError:
        return True
    return False


def _placed(bench: _Bench) -> tuple[Check, Mapping[str, int]]:
    """Validation only: the simulator's session compiles to the end."""
    try:
        report = place(bench.paths["after"], bench.soc)
    except AipcError as error:
        return Check("placed", False, words=str(error)), {}
    counts = {item.value: report.count(item) for item in Placement}
    off = [node for node in report.nodes if node.placement is not Placement.NPU]
    reasons = "; ".join(f"{node.op_type}: {node.reason}" for node in off[:3])
    return Check("placed", not off, wanted="every node on the NPU", words=reasons), counts


def _simulated(bench: _Bench, sets: Mapping[str, Mapping[str, Array]], where: str = "") -> list[Check]:
    usable = {}
    for label, values in sets.items():
        try:
            bench.true("before", label, values)
        except AipcError:
            continue
        # The NPU holds neither infinities nor NaN: its answer to them counts where they are looked for.
        if label not in NON_FINITE or bench.looks_for_non_finite:
            usable[label] = values
    feeds = [bench.feeds("after", values) for values in usable.values()]
    outcome = run_isolated(_simulate, bench.paths["after"], feeds, bench.outputs, bench.soc, seconds=_SECONDS)
    if outcome.value is None:
        return [Check(f"compiled{where}", False, words=f"{outcome.status}: {outcome.reason}"[:600])]
    checks = [Check(f"compiled{where}", True, wanted="QAIRT compiles it to the end")]
    for (label, values), actual in zip(usable.items(), outcome.value, strict=True):
        check = _judged(bench, label, values, actual, where)
        if not check.ok and label != "true" and _original_is_no_better(bench, label, values, check):
            note = f"{check.words}; the original on the simulator is no nearer there"
            check = replace(check, ok=True, words=note)
        checks.append(check)
    return checks


def _original_is_no_better(bench: _Bench, label: str, values: Mapping[str, Array], check: Check) -> bool:
    """Whether the NPU is as far off with the original form on the same inputs: not the rewrite's fault."""
    feeds = [bench.feeds("before", values)]
    outcome = run_isolated(_simulate, bench.paths["before"], feeds, bench.outputs, bench.soc, seconds=_SECONDS)
    if outcome.value is None:
        return False
    expected = bench.true("before", label, values)
    actual = dict(zip(bench.outputs, outcome.value[0], strict=True))
    return all(
        accuracy(item.name, expected[item.name], actual[item.name]).sqnr_db <= item.sqnr_db for item in check.figures
    )


def _judged(bench: _Bench, label: str, values: Mapping[str, Array], actual: Sequence[Array], where: str = "") -> Check:
    expected = bench.true("before", label, values)
    outputs = dict(zip(bench.outputs, actual, strict=True))
    ideals = [bench.ideal("after", values), bench.ideal("before", values)]
    if label == "far" and _beyond_fp16(bench, expected, ideals[1]):
        # What no fp16 execution of the original gets right says nothing about the rewrite.
        return Check(f"simulator on {label} inputs", True, words="not judged: beyond what fp16 or int32 can hold")
    sample = Sample({name: expected[name] for name in bench.outputs}, ideals)
    verdict = judge(bench.root, bench.root, sample, outputs)
    figures = tuple(
        accuracy(name, expected[name], outputs[name], ideal_fp16_sqnr_db=verdict.ideal_fp16_sqnr_db)
        for name in bench.outputs
    )
    # Drawn inputs also fall on a function's steps and below fp16's smallest values: there rounding alone decides.
    levels = [_coarsest(name, expected, ideals[1]) for name in bench.outputs] if label == "true" else []
    level = min(levels, default=-math.inf)
    return Check(
        f"simulator on {label} inputs{where}",
        verdict.verdict is not Verdict.WRONG and all(item.sqnr_db >= level for item in figures),
        figures,
        f"as near to fp32 as correctly rounded fp16{f', and {level:.3g} dB SQNR' if math.isfinite(level) else ''}",
        f"{verdict.verdict.value}{_at(verdict)}",
    )


def _coarsest(name: str, expected: Mapping[str, Array], ideal: Mapping[str, Array]) -> float:
    """The SQNR that an output has to keep: a rewrite that cancels is not excused by its own rounding."""
    if expected[name].dtype.kind != "f":
        return -math.inf
    return min(SQNR_GATE_DB, sqnr_db(expected[name], ideal[name]) - IDEAL_MARGIN_DB)


def _beyond_fp16(bench: _Bench, expected: Mapping[str, Array], ideal: Mapping[str, Array]) -> bool:
    for name in bench.outputs:
        true = expected[name]
        if true.dtype.kind == "f" and bool((np.abs(true[np.isfinite(true)]) > _IEEE_MAX).any()):
            return True
        if true.dtype.kind == "i" and bool((np.abs(true.astype(np.float64)) >= 2.0**31).any()):
            return True
        if sqnr_db(true, ideal[name]) < _USABLE_DB:
            return True
    return False


def _at(verdict: NodeNumerics) -> str:
    if verdict.expected is None or verdict.actual is None or math.isnan(verdict.expected):
        return ""
    return f"; worst {verdict.actual:.6g} instead of {verdict.expected:.6g}"


def _simulate(path: Path, feeds: Sequence[Mapping[str, Array]], outputs: Sequence[str], soc: SoC) -> list[list[Array]]:
    session = open_session(path, soc, verbose=False)
    return [[np.asarray(item) for item in session.run(list(outputs), dict(feed))] for feed in feeds]
