"""Jobs that search a graph for what is wrong, each run in a worker process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from aipc.core.types import Event
from aipc.debug.divergence import first_divergence
from aipc.debug.localize import localize as localize_nodes
from aipc.debug.reduce import compile_outcome, numbers_outcome, reduce_failure
from aipc.numerics.npz import read_npz, write_npz

from .types import Localization, Reduction

Report = Callable[[Event], None]


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
    localization = localize_nodes(
        model,
        inputs,
        soc,
        boundary=boundary,
        seconds=seconds,
        on_progress=lambda fraction, node: report(Event("localize", node, fraction)),
    )
    if divergence:
        report(Event("localize", "searching the whole graph"))
        localization = replace(localization, divergence=first_divergence(model, inputs, soc))
    if out is not None:
        Path(out).mkdir(parents=True, exist_ok=True)
        write_npz(Path(out) / "inputs.npz", inputs)
    return replace(localization, seconds=time.perf_counter() - started)


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


def extract(report: Callable[[Event], None], *, model: str, inputs: str, nodes: list[str], out: str) -> int:
    """Cut ``nodes`` out of ``model`` into ``out``/model.onnx, with their true inputs in ``out``/inputs.npz.

    Of a quantized graph the conversions around the nodes are cut out with them, so that its border is float.

    Returns:
        The number of nodes cut out; 0 when they cannot be run alone (the type of a border tensor is unknown).
    """
    import onnx

    from aipc.core.errors import AipcError
    from aipc.graph.extract import infer_shapes, subgraph, with_conversions
    from aipc.numerics.cpu import run_cpu
    from aipc.numerics.npz import read_npz, write_npz

    directory = Path(out)
    source = onnx.load(model)
    report(Event("capsule", f"cutting out {len(nodes)} nodes"))
    try:
        part = subgraph(infer_shapes(source), with_conversions(source, nodes))
        arrays = read_npz(inputs)
        wanted = [value for value in part.graph.input if value.name not in arrays]
        source.graph.output.extend(wanted)
        tapped = directory / "tapped.onnx"
        onnx.save(source, str(tapped))
        values = {**arrays, **run_cpu(tapped, arrays, optimize=False)}
        tapped.unlink()
        onnx.save(part, str(directory / "model.onnx"))
        write_npz(directory / "inputs.npz", {value.name: values[value.name] for value in part.graph.input})
    except (AipcError, ValueError):
        (directory / "tapped.onnx").unlink(missing_ok=True)
        (directory / "model.onnx").unlink(missing_ok=True)
        return 0
    return len(part.graph.node)
