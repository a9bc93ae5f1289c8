"""What a check left: the error of each node, and the graph for a viewer; and the runs of a project."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.capture import worker_jobs as capture_jobs
from aipc.core.accuracy import NodeAccuracy
from aipc.core.cache import Cache
from aipc.core.config import load_config
from aipc.core.errors import InputError
from aipc.core.hashing import hash_value
from aipc.core.plain_data import from_plain, to_plain
from aipc.core.types import (
    CheckReport,
)
from aipc.core.workers import WorkerPool
from aipc.debug import worker_jobs as debug_jobs
from aipc.pipeline.runs import RunSummary, list_runs

from ._run import OnEvent


def runs(directory: Path) -> tuple[RunSummary, ...]:
    """The runs of the project that ``directory`` belongs to, the newest first."""
    return list_runs(load_config(directory).root)


def node_accuracy(
    report: CheckReport,
    pool: WorkerPool,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> NodeAccuracy:
    """Error of every readable node of a checked model, on the simulator of its SoC; kept in the cache.

    Raises:
        InputError: the check has no graph. QairtError: the graph does not run.
    """
    if report.graph is None:
        raise InputError(f"{report.model} was not captured", remedy="correct what the check found first")
    graph = Path(report.graph)
    cache = Cache()
    arguments = {"model": str(graph), "inputs_npz": str(graph.parent / "inputs.npz"), "soc": report.soc}
    key = hash_value({"accuracy": 2, "graph": graph.parent.name, "soc": report.soc, "qairt": report.qairt})

    def build(directory: Path) -> Mapping[str, Any]:
        accuracy = pool.run(debug_jobs.NODE_ACCURACY, arguments, on_event=on_event, cancel=cancel)
        plain: Mapping[str, Any] = to_plain(accuracy)
        return plain

    return from_plain(dict(cache.put(key, build).meta), NodeAccuracy)


def graph(report: CheckReport, pool: WorkerPool) -> Path:
    """The captured graph without its weights, for a viewer."""
    if report.graph is None:
        raise InputError(f"{report.model} was not captured", remedy="correct what the check found first")
    source = Path(report.graph)

    def build(directory: Path) -> Mapping[str, Any]:
        arguments = {"model": str(source), "out": str(directory / "model.onnx")}
        return {"nodes": pool.run(capture_jobs.OUTLINE, arguments)}

    return Cache().put(hash_value({"outline": 1, "graph": source.parent.name}), build).path / "model.onnx"
