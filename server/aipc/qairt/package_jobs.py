"""Jobs on packages, each run in a worker process of its own: compile, run, compare, localize, reduce.

Arrays cross the process border as ``.npz`` files, keyed by tensor name; everything else is plain and small.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from aipc.core.types import Event, OutputAccuracy
from aipc.numerics.fp16 import ideal_fp16_sqnr
from aipc.numerics.metrics import compare_outputs
from aipc.numerics.npz import read_npz, write_npz

from .compile import compile_context
from .divergence import first_divergence
from .numerics import localize as localize_nodes
from .reduce import compile_outcome, numbers_outcome, reduce_failure
from .results import Compiled, Localization, Reduction, SimulatedRun
from .simulate import run_context, run_samples

Report = Callable[[Event], None]


def compile(report: Report, *, model: str, soc: str, out: str, allow_cpu: bool = True) -> Compiled:
    """Compile the ONNX file ``model`` for ``soc`` into ``out`` (see ``compile.compile_context``)."""
    report(Event("compile", f"compiling {Path(model).name} for {soc}"))
    return compile_context(model, soc, out, allow_cpu=allow_cpu)


def run(report: Report, *, package_model: str, inputs_npz: str, out_npz: str, soc: str) -> SimulatedRun:
    """Run the EPContext model ``package_model`` on the simulator and write its outputs to ``out_npz``."""
    inputs = read_npz(inputs_npz)
    report(Event("run", f"running on the {soc} simulator"))
    execution = run_context(package_model, inputs, soc)
    write_npz(out_npz, execution.outputs)
    return SimulatedRun(
        outputs=tuple(execution.outputs),
        out_npz=out_npz,
        host_load_seconds=execution.host_load_seconds,
        host_run_seconds=execution.host_run_seconds,
    )


def run_all(report: Report, *, package_model: str, samples: Sequence[tuple[str, str]], soc: str) -> int:
    """The same for several samples with one session: pairs of an inputs' and an outputs' ``.npz``; how many."""
    given = (read_npz(inputs) for inputs, _ in samples)
    for number, execution in enumerate(run_samples(package_model, given, soc)):
        report(Event("run", f"ran sample {number + 1} of {len(samples)} on the {soc} simulator"))
        write_npz(samples[number][1], execution.outputs)
    return len(samples)


def compare(
    report: Report,
    *,
    reference_npz: str,
    actual_npz: str,
    model: str | None = None,
    inputs: str | None = None,
) -> tuple[OutputAccuracy, ...]:
    """Distance of every output to the reference.

    Args:
        model: the ONNX file; with ``inputs``, each result also carries the SQNR that a correctly
            rounded fp16 execution of that graph has.
        inputs: the ``.npz`` of the graph's inputs.
    """
    ideal = None
    if model is not None and inputs is not None:
        report(Event("compare", "computing what ideal fp16 gives"))
        ideal = ideal_fp16_sqnr(model, read_npz(inputs))
    return compare_outputs(read_npz(reference_npz), read_npz(actual_npz), ideal)


def localize(
    report: Report,
    *,
    model: str,
    inputs_npz: str,
    soc: str,
    out: str | None = None,
    boundary: bool = False,
    divergence: bool = False,
    seconds: float | None = None,
) -> Localization:
    """Judge every node's own numbers; with ``divergence``, also find the first bad tensor of the whole graph.

    Args:
        out: a directory; when given, the inputs of this run are kept there for the failure capsule.
        seconds: limit for the search over single nodes.
    """
    inputs = read_npz(inputs_npz)
    started = time.perf_counter()
    found = localize_nodes(
        model,
        inputs,
        soc,
        boundary=boundary,
        seconds=seconds,
        on_progress=lambda fraction, node: report(Event("localize", node, fraction)),
    )
    if divergence:
        report(Event("localize", "searching the whole graph"))
        found = replace(found, divergence=first_divergence(model, inputs, soc))
    if out is not None:
        Path(out).mkdir(parents=True, exist_ok=True)
        write_npz(Path(out) / "inputs.npz", inputs)
    return replace(found, seconds=time.perf_counter() - started)


def reduce(
    report: Report,
    *,
    model: str,
    inputs_npz: str,
    soc: str,
    out: str,
    failure: Literal["compile", "numbers"],
    start: tuple[str, ...] = (),
    seconds: float = 120.0,
) -> Reduction:
    """Write the smallest sub-graph that still fails, and its inputs, into ``out``.

    Args:
        failure: what failing means: QAIRT cannot compile it, or its numbers are out of tolerance.
        start: names of suspected nodes, tried first.
    """
    predicate = compile_outcome(soc) if failure == "compile" else numbers_outcome(soc)
    return reduce_failure(
        model,
        read_npz(inputs_npz),
        predicate,
        out,
        start=start,
        seconds=seconds,
        on_progress=lambda tried, left: report(Event("reduce", f"{left} nodes left after {tried} tries")),
    )
