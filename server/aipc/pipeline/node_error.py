"""Which nodes of a quantized graph introduce its error, by the nodes of its float graph or by the captured ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.accuracy import NodeAccuracy
from aipc.core.errors import QairtError, WorkerCrashedError
from aipc.core.hashing import hash_value
from aipc.core.json import from_plain, to_plain
from aipc.debug import worker_jobs as debug_jobs
from aipc.numerics import worker_jobs as numerics_jobs

from .blame import located
from .origins import captured_source_map, float_provenance
from .stage import Run
from .stages.rewrite import deployed_placement
from .stages.run import outputs_of
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
        "model": str(run.float_graph),
        "inputs_npz": str(run.held_out[sample]),
        "soc": run.request.soc,
        "quantized": str(run.graph),
    }
    if seconds is not None:
        arguments["seconds"] = seconds
    if "run" in run.entries and run.request.target == "simulator":
        arguments["outputs_npz"] = str(outputs_of(run)[sample])
    key = hash_value(
        {
            "accuracy": _ACCURACY_VERSION,
            "quantize": run.keys["quantize"],
            "calibrate": run.keys["calibrate"],
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
    if "run" not in run.entries or len(run.held_out) < 2:
        return 0
    found: int = run.job(
        numerics_jobs.NOISIEST,
        references=[str(path) for path in run.references],
        actuals=[str(path) for path in outputs_of(run)],
    )
    return found


def captured_accuracy(run: Run, *, seconds: float | None = None) -> NodeAccuracy | None:
    """The same by the captured nodes; None where nothing is quantized or the graph does not run."""
    if run.plan is None or "quantize" not in run.entries or not run.meta("quantize")["changed"]:
        return None
    try:
        return by_captured_nodes(run, node_accuracy(run, seconds=seconds))
    except (QairtError, WorkerCrashedError):
        return None


def by_captured_nodes(run: Run, found: NodeAccuracy) -> NodeAccuracy:
    """Figures of the float graph's nodes at the captured nodes, each with its line."""
    kinds = {node.node: node.op_type for node in deployed_placement(run).nodes}
    return located(found, captured_source_map(run), kinds, float_provenance(run))
