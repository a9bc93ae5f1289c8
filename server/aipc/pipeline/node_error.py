"""Which nodes of a quantized graph introduce its error, by the nodes of its float graph or by the captured ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.accuracy import NodeAccuracy
from aipc.core.errors import QairtError, WorkerCrashedError
from aipc.core.hashing import hash_value
from aipc.core.plain_data import from_plain, to_plain
from aipc.debug import worker_jobs as debug_jobs
from aipc.numerics import worker_jobs as numerics_jobs

from .artifacts import CalibrationData, QuantizedGraph, TargetExecution
from .attribution import located
from .build import Build
from .run import Run
from .versions import versions

_ACCURACY_VERSION = 2


def node_accuracy(run: Run, *, seconds: float | None = None) -> NodeAccuracy:
    """Every node's error in the quantized graph of a run, by the nodes of its float graph; kept in the cache.

    Measured on one held-out sample: real data, and none that the ranges come from. Of those that the package was run
    on it is the one with most of the error: what is lost on a single kind of picture shows on no other.

    Args:
        seconds: how long the effects of single nodes are measured; as long as it takes by default.

    Raises:
        QairtError: the graph does not run.
    """
    sample = _noisiest(run)
    arguments: dict[str, Any] = {
        "model": str(run.float_graph.graph),
        "inputs_npz": str(run.held_out[sample]),
        "soc": run.request.soc,
        "quantized": str(run.deployed_graph.graph),
    }
    if seconds is not None:
        arguments["seconds"] = seconds
    if TargetExecution in run.artifacts and run.request.target == "simulator":
        arguments["outputs_npz"] = str(run.outputs[sample])
    key = hash_value(
        {
            "accuracy": _ACCURACY_VERSION,
            "quantize": run.artifacts[QuantizedGraph].key,
            "calibrate": run.artifacts[CalibrationData].key,
            "sample": sample,
            "seconds": seconds,
            "tools": versions(),
        }
    )

    def build(directory: Path) -> Mapping[str, Any]:
        plain: Mapping[str, Any] = to_plain(run.job(debug_jobs.NODE_ACCURACY, **arguments))
        return plain

    return from_plain(dict(run.cache.put(key, build).meta), NodeAccuracy)


def _noisiest(run: Run) -> int:
    if TargetExecution not in run.artifacts or len(run.held_out) < 2:
        return 0
    return run.job(
        numerics_jobs.NOISIEST,
        references=[str(path) for path in run.references],
        actuals=[str(path) for path in run.outputs],
    )


def captured_accuracy(run: Run, *, seconds: float | None = None) -> NodeAccuracy | None:
    """The same by the captured nodes; None where nothing is quantized or the graph does not run."""
    if run.plan is None or run.quantized is None:
        return None
    try:
        return by_captured_nodes(run, node_accuracy(run, seconds=seconds))
    except (QairtError, WorkerCrashedError):
        return None


def by_captured_nodes(build: Build, accuracy: NodeAccuracy) -> NodeAccuracy:
    """Figures of the float graph's nodes at the captured nodes, each with its line."""
    placed = build.deployed_placement
    kinds = {node.node: node.op_type for node in placed.nodes} if placed else {}
    return located(accuracy, build.captured.source_map, kinds, build.float_provenance)
