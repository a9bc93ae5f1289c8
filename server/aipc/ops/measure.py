"""One case on one SoC: where it runs and why, whether it compiles, and whether its numbers are right."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from aipc.core.errors import QairtError
from aipc.core.types import NodePlacement, Placement, PlacementReport
from aipc.numerics.fp16 import FP16_MAX
from aipc.numerics.node_verdict import Sample, badness, judge
from aipc.numerics.types import NodeNumerics, Verdict
from aipc.qairt.placement import place
from aipc.qairt.session import open_session
from aipc.qairt.soc import SoC

from .measurements import CPU, FAILS, NO_EXPORT, RUNS, WRONG, Measured
from .reference import read_sets

Array = np.ndarray[Any, Any]
_IEEE_MAX = 65504.0
# Where in onnxruntime's own source an error was raised.
_PLACE_IN_SOURCE = re.compile(r"/onnxruntime_src/\S+:\d+ [^(]*\([^()]*\)(?: const)? ")


def measure(directory: Path, facts: Mapping[str, Any], soc: SoC, *, random: bool = False) -> Measured:
    """Ask QAIRT about the case in ``directory`` (see ``reference.write_case``).

    A crash or a hang of native code is the caller's to contain.
    """
    started = time.perf_counter()
    if not facts["exports"]:
        return Measured(NO_EXPORT, facts["reason"])
    result = _measure(directory, facts, soc, random)
    return Measured(**{**result, "seconds": round(time.perf_counter() - started, 3)})


def _measure(directory: Path, facts: Mapping[str, Any], soc: SoC, random: bool) -> dict[str, Any]:
    path = directory / "model.onnx"
    arrays = {} if random else dict(np.load(directory / "arrays.npz"))
    try:
        # Validation alone takes a fifth of the time; opening the session that simulates compiles to the end anyway.
        report = place(path, soc, isolate=False)
        if _at(report, Placement.FAILS):
            return _failure(report)
        on_cpu = _at(report, Placement.CPU)
        result = {**_placed(report), "verdict": CPU if on_cpu else RUNS, "reason": _reason(on_cpu)}
        if on_cpu and not report.count(Placement.NPU):
            return result
        try:
            return {**result, **_simulate(path, soc, arrays, facts)}
        except _RunFailedError as error:
            report = place(path, soc, finalize=True, isolate=False)
            if _at(report, Placement.FAILS):
                return _failure(report)
            return {**_placed(report), "verdict": FAILS, "reason": _first(str(error).replace(f"{directory}/", ""))}
    except QairtError as error:
        return {"verdict": FAILS, "reason": _first((error.detail or str(error)).replace(f"{directory}/", ""))}


def _placed(report: PlacementReport) -> dict[str, Any]:
    return {
        "cpu": tuple(dict.fromkeys(node.op_type for node in _at(report, Placement.CPU))),
        "fails": tuple(dict.fromkeys(node.op_type for node in _at(report, Placement.FAILS))),
    }


def _failure(report: PlacementReport) -> dict[str, Any]:
    return {**_placed(report), "verdict": FAILS, "reason": _reason(_at(report, Placement.FAILS))}


class _RunFailedError(Exception):
    """The session could not be opened, or raised while running."""


def _simulate(path: Path, soc: SoC, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> dict[str, Any]:
    try:
        session = open_session(path, soc, verbose=False)
    except Exception as error:
        raise _RunFailedError(str(error)) from error
    producers = {name: node.op_type for node in onnx.load(str(path)).graph.node for name in node.output}
    names = [output.name for output in session.get_outputs()]
    numbers: dict[str, Any] = {}
    for kind, (inputs, expected, ideals) in read_sets(arrays).items():
        try:
            actual = [np.asarray(value) for value in session.run(names, inputs)]
        except Exception as error:
            raise _RunFailedError(str(error)) from error
        judged = max((_judged(*item, producers) for item in _by_output(names, expected, ideals, actual)), key=badness)
        if kind == "random":
            numbers = {"sqnr_db": _rounded(judged.sqnr_db), "ideal_fp16_sqnr_db": _rounded(judged.ideal_fp16_sqnr_db)}
            numbers["rounding"] = judged.verdict is Verdict.ROUNDING
        if judged.verdict is Verdict.WRONG:
            return {**numbers, "verdict": WRONG, "reason": _wrong(judged, kind, facts), "values": kind}
    return numbers


def _by_output(
    names: list[str], expected: list[Array], ideals: list[list[Array]], actual: list[Array]
) -> list[tuple[str, Array, list[Array], Array]]:
    return [
        (name, expected[index], [ideal[index] for ideal in ideals], actual[index]) for index, name in enumerate(names)
    ]


def _judged(
    name: str, expected: Array, ideals: list[Array], actual: Array, producers: Mapping[str, str]
) -> NodeNumerics:
    # An operator whose output size depends on its data has no execution to compare with where the size differs.
    same = [{name: ideal} for ideal in ideals if ideal.shape == expected.shape]
    actual = _saturated(expected, actual)
    return judge(name, producers.get(name, ""), Sample({name: expected}, same), {name: actual})


def _saturated(expected: Array, actual: Array) -> Array:
    """``actual`` with the largest fp16 wherever it and the true value both lie beyond IEEE's fp16, on the same side.

    What a value becomes there (65536, 131008, or itself where a tensor stays in fp32) is nobody's error.
    """
    if expected.dtype.kind != "f" or expected.shape != actual.shape:
        return actual
    beyond = (np.abs(expected) > _IEEE_MAX) & (np.abs(actual) >= _IEEE_MAX) & (np.sign(expected) == np.sign(actual))
    return np.where(beyond, np.sign(expected) * FP16_MAX, actual)


def _wrong(judged: NodeNumerics, kind: str, facts: Mapping[str, Any]) -> str:
    if difference := facts.get("differs", {}).get(kind):
        return f"the exported graph is not what PyTorch computes: {difference}"
    if judged.detail:
        return judged.detail
    where = f" at {list(judged.worst_index)}" if judged.worst_index else ""
    return (
        f"{judged.actual:.6g} instead of {judged.expected:.6g}{where}, "
        f"{judged.wrong_elements} of {judged.elements} elements, {kind} values"
    )


# What changes from one process to the next.
_TENSOR = re.compile(r"^\[\d+\]\s*")


def _reason(nodes: list[NodePlacement]) -> str:
    """QAIRT's own words about the nodes, each sentence once, the nodes named by their operator."""
    reasons: dict[str, None] = {}
    for node in nodes:
        # A session that is not the process's first gets numbers behind its names.
        named = re.compile(rf"{re.escape(node.node)}(_\d+)*")
        sentences = (_TENSOR.sub("", item) for item in _first(node.reason or "").split(" / "))
        reasons |= dict.fromkeys(named.sub(node.op_type, item) for item in sentences)
    return " / ".join([item for item in reasons if item][:3])


def _at(report: PlacementReport, placement: Placement) -> list[NodePlacement]:
    return [node for node in report.nodes if node.placement is placement]


def _first(text: str) -> str:
    lines = _PLACE_IN_SOURCE.sub("", text.strip()).splitlines()
    return lines[0].strip()[:400] if lines else ""


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1) if np.isfinite(value) else value
