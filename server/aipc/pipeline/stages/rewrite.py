"""Rewrite what the NPU refuses, computes wrongly or cannot build, where that is proved; nothing may be left."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import aipc.rewrites as rewrites
from aipc.core.hashing import hash_file, hash_files, hash_value
from aipc.core.json import from_plain, to_plain
from aipc.core.provenance import Provenance
from aipc.core.types import Gate, Placement, PlacementReport
from aipc.rewrites import worker_jobs as rewrites_jobs
from aipc.rewrites.results import Rewritten, Trigger

from ..gates import capture_gate
from ..stage import Run, Stage
from .placement import judge_soc, placement_report, quantized


@lru_cache(maxsize=1)
def catalogue() -> str:
    """Changes with every change of a rule."""
    folder = Path(rewrites.__path__[0])
    return hash_value(list(hash_files(sorted(folder.rglob("*.py"))).values()))


def _full(run: Run) -> bool:
    return run.request.finalize or run.variant.finalize_rewritten


def _triggers(run: Run) -> list[str]:
    triggers = set(run.variant.triggers)
    if placement_report(run).count(Placement.FAILS):
        triggers.add(Trigger.UNBUILDABLE)
    if quantized(run):
        triggers.add(Trigger.INTEGERS)
    return sorted(item.value for item in triggers)


def _key(run: Run) -> Any:
    asked = [_triggers(run), _full(run), run.variant.every_site]
    return [run.meta("capture")["digest"], run.keys["placement"], *asked, catalogue()]


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    off = [node.node for node in placement_report(run).nodes if node.placement is not Placement.NPU]
    result: Rewritten = run.job(
        rewrites_jobs.REWRITE,
        model=str(run.path("capture", "model.onnx")),
        inputs=str(run.path("capture", "inputs.npz")),
        soc=judge_soc(run),
        off=off,
        triggers=_triggers(run),
        out=str(out),
        full=_full(run),
        every_site=run.variant.every_site,
        proofs=str(run.cache.root) if run.use_cache else "",
    )
    files = {name: hash_file(out / name) for name in ("model.onnx", "model.data") if (out / name).is_file()}
    return {"changed": result.changed, "result": to_plain(result), "digest": hash_value(files)}


def rewritten(run: Run) -> Rewritten:
    entry = run.entries["rewrite"]
    if entry.path not in run.parsed:
        run.parsed[entry.path] = from_plain(entry.meta["result"], Rewritten)
    result: Rewritten = run.parsed[entry.path]
    return result


def deployed_placement(run: Run) -> PlacementReport:
    """Of the graph that is deployed: the quantized one where there is one, else the rewritten one."""
    entry = run.entries.get("quantize")
    if entry is not None and entry.meta["changed"]:
        return from_plain(entry.meta["placement"], PlacementReport)
    found = rewritten(run).placement if "rewrite" in run.entries else None
    return found or placement_report(run)


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate:
    result = rewritten(run)
    report = result.placement or placement_report(run)
    if result.changed:
        equal = capture_gate(result.equality, run.request.tolerance)
        if not equal.ok:
            return equal
    if quantized(run):
        # In float only the rewrites are judged; where every node runs is asked of the quantized graph.
        return Gate("float graph", 1.0, 1.0, True, "placement is judged on the quantized graph")
    allowed = {Placement.NPU, Placement.CPU} if run.request.allow_cpu else {Placement.NPU}
    off = [node.node for node in report.nodes if node.placement not in allowed]
    # With nothing left for the NPU there is nothing to deploy, whatever is allowed.
    none = report.count(Placement.NPU) == 0
    detail = "QAIRT takes no node of this model" if none else ", ".join(off[:5])
    if off and not run.request.allow_cpu and report.count(Placement.FAILS) == 0:
        detail += "; --allow-cpu deploys them to the CPU"
    return Gate(
        "nodes off the NPU",
        float(len(off)),
        0.0,
        not off and not none,
        detail,
        tuple(sorted(Provenance(result.derived).sources(off))),
    )


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    result = rewritten(run)
    if not result.changed:
        return "nothing to rewrite" if not result.refused else "no rule applies"
    counts: dict[str, int] = {}
    for item in result.applications:
        counts[item.rule] = counts.get(item.rule, 0) + 1
    words = ", ".join(f"{rule} {number}x" if number > 1 else rule for rule, number in counts.items())
    return f"{words}; {len(result.proofs)} proof{'s' * (len(result.proofs) != 1)}"


STAGE = Stage(name="rewrite", order=40, version=1, key=_key, build=_build, gate=_gate, note=_note)
