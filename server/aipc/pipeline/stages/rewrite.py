"""Rewrite what the NPU refuses, computes wrongly or cannot build, where that is proved; nothing may be left."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import aipc.rewrites as rewrites
from aipc.core.hashing import hash_file, hash_files, hash_value
from aipc.core.types import Gate, Placement
from aipc.rewrites import worker_jobs as rewrites_jobs
from aipc.rewrites.proofs import Trigger

from ..artifacts import CapturedGraph, GraphPlacement, RewrittenGraph
from ..build import Build
from ..gates import capture_gate, placement_gate
from ..run import Run
from ..stage import Stage
from .placement import judge_soc


@lru_cache(maxsize=1)
def catalogue() -> str:
    """Changes with every change of a rule."""
    folder = Path(rewrites.__path__[0])
    return hash_value(list(hash_files(sorted(folder.rglob("*.py"))).values()))


def _full(build: Build) -> bool:
    return build.request.finalize or build.variant.finalize_rewritten


def _triggers(build: Build) -> list[str]:
    triggers = set(build.variant.triggers)
    if build.artifacts[GraphPlacement].report.count(Placement.FAILS):
        triggers.add(Trigger.UNBUILDABLE)
    if build.variant.is_quantized:
        triggers.add(Trigger.INTEGERS)
    return sorted(item.value for item in triggers)


def _key(build: Build) -> object:
    arguments = [_triggers(build), _full(build), build.variant.every_site]
    return [build.captured.digest, build.artifacts[GraphPlacement].key, *arguments, catalogue()]


def _rewrite(run: Run, out: Path) -> RewrittenGraph:
    placed = run.artifacts[GraphPlacement].report
    result = run.job(
        rewrites_jobs.REWRITE,
        model=str(run.captured.graph),
        inputs=str(run.captured.inputs),
        soc=judge_soc(run),
        off=[node.node for node in placed.nodes if node.placement is not Placement.NPU],
        triggers=_triggers(run),
        out=str(out),
        full=_full(run),
        compiled=run.request.finalize,
        every_site=run.variant.every_site,
        proofs=str(run.cache.root) if run.use_cache else "",
    )
    files = {name: hash_file(out / name) for name in ("model.onnx", "model.data") if (out / name).is_file()}
    return RewrittenGraph(result=result, digest=hash_value(files))


def _gate(build: Build, rewritten: RewrittenGraph) -> Gate:
    result = rewritten.result
    if result.changed:
        equal = capture_gate(result.equality, build.request.tolerance)
        if not equal.ok:
            return equal
    if build.variant.is_quantized:
        # In float only the rewrites are judged; where every node runs is asked of the quantized graph.
        return Gate("float graph", 1.0, 1.0, True, "placement is judged on the quantized graph")
    report = result.placement or build.artifacts[GraphPlacement].report
    return placement_gate(report, rewritten.provenance, allow_cpu=build.request.allow_cpu)


def _note(build: Build, rewritten: RewrittenGraph) -> str:
    result = rewritten.result
    if not result.changed:
        return "nothing to rewrite" if not result.refused else "no rule applies"
    counts: dict[str, int] = {}
    for item in result.applications:
        counts[item.rule] = counts.get(item.rule, 0) + 1
    note = ", ".join(f"{rule} {number}x" if number > 1 else rule for rule, number in counts.items())
    return f"{note}; {len(result.proofs)} proof{'s' * (len(result.proofs) != 1)}"


STAGE = Stage(
    name="rewrite",
    order=40,
    version=4,
    artifact=RewrittenGraph,
    needs=(CapturedGraph, GraphPlacement),
    key=_key,
    make=_rewrite,
    gate=_gate,
    note=_note,
)
