"""From the nodes of the graphs of a run to captured nodes and to the author's expressions."""

from __future__ import annotations

from aipc.core.provenance import Provenance
from aipc.core.types import SourceMap

from .findings import read_source_map
from .stage import Run


def captured_source_map(run: Run) -> SourceMap:
    return read_source_map(run.path("capture", "source_map.json"))


def float_provenance(run: Run) -> Provenance:
    """Of the float graph that is deployed or quantized, back to captured nodes."""
    return _provenance(run, "rewrite")


def quantized_provenance(run: Run) -> Provenance:
    """Of the quantized graph, back to the nodes of the float graph."""
    return _provenance(run, "quantize")


def deployed_provenance(run: Run) -> Provenance:
    """Of the graph that is deployed, back to captured nodes."""
    return float_provenance(run).then(quantized_provenance(run))


def _provenance(run: Run, stage: str) -> Provenance:
    entry = run.entries.get(stage)
    if entry is None or not entry.meta["changed"]:
        return Provenance()
    return Provenance({node: tuple(sources) for node, sources in entry.meta["result"]["derived"].items()})
