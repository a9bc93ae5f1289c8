"""Compile the graph into a context binary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aipc.qairt import worker_jobs as qairt_jobs

from ..artifacts import CapturedGraph, CompiledGraph, QuantizedGraph, RewrittenGraph
from ..build import Build
from ..run import Run
from ..stage import Stage


def _key(build: Build) -> object:
    request = build.request
    return [build.deployed_graph.digest, request.soc, build.precision, request.allow_cpu]


def _compile(run: Run, out: Path) -> CompiledGraph:
    result = run.job(
        qairt_jobs.COMPILE,
        model=str(run.deployed_graph.graph),
        soc=run.request.soc,
        out=str(out),
        allow_cpu=run.request.allow_cpu,
    )
    # The artifact is moved into its place when it is complete: names, not paths.
    names = tuple(Path(item).name for item in (result.model, *result.binaries))
    return CompiledGraph(result=replace(result, model=names[0], binaries=names[1:], log=None), files=names)


def _note(build: Build, compiled: CompiledGraph) -> str:
    traffic = compiled.result.traffic
    note = f"{compiled.bytes / 1e6:.1f} MB for {build.request.soc}, QAIRT {compiled.result.qairt}"
    if traffic.read_bytes is not None:
        note += f"; the compiler plans to read {traffic.read_bytes / 1e6:.1f} MB and spill "
        note += f"{(traffic.spill_bytes or 0) / 1e6:.1f} MB of DDR for one inference"
    return note


STAGE = Stage(
    name="compile",
    order=60,
    version=3,
    artifact=CompiledGraph,
    needs=(CapturedGraph, RewrittenGraph, QuantizedGraph),
    key=_key,
    make=_compile,
    note=_note,
)
