"""Jobs that ask QAIRT, for the worker pool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aipc.core.types import Event, PlacementReport

from .placement import place as place_nodes
from .soc import get_soc


def place(
    report: Callable[[Event], None], *, model: str, soc: str, precision: str, out: str, full: bool
) -> PlacementReport:
    """Placement of every node of ``model`` on ``soc``; the native log goes to ``out``/qnn.log."""
    directory = Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    return place_nodes(
        Path(model),
        get_soc(soc),
        precision=precision,
        finalize=full,
        log_path=directory / "qnn.log",
        progress=lambda message: report(Event("placement", message)),
    )


def extract(report: Callable[[Event], None], *, model: str, inputs: str, nodes: list[str], out: str) -> int:
    """Cut ``nodes`` out of ``model`` into ``out``/model.onnx, with their true inputs in ``out``/inputs.npz.

    Returns:
        The number of nodes cut out; 0 when they cannot be run alone (the type of a border tensor is unknown).
    """
    import onnx

    from aipc.core.errors import AipcError
    from aipc.graph.extract import infer_shapes, subgraph
    from aipc.numerics.cpu import run_cpu
    from aipc.numerics.npz import read_npz, write_npz

    directory = Path(out)
    source = onnx.load(model)
    report(Event("capsule", f"cutting out {len(nodes)} nodes"))
    try:
        part = subgraph(infer_shapes(source), set(nodes))
        given = read_npz(inputs)
        wanted = [value for value in part.graph.input if value.name not in given]
        source.graph.output.extend(wanted)
        tapped = directory / "tapped.onnx"
        onnx.save(source, str(tapped))
        values = {**given, **run_cpu(tapped, given, optimize=False)}
        tapped.unlink()
        onnx.save(part, str(directory / "model.onnx"))
        write_npz(directory / "inputs.npz", {value.name: values[value.name] for value in part.graph.input})
    except (AipcError, ValueError):
        (directory / "tapped.onnx").unlink(missing_ok=True)
        (directory / "model.onnx").unlink(missing_ok=True)
        return 0
    return len(part.graph.node)
