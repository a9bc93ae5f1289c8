"""Compile the graph into a context binary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.json import to_plain
from aipc.qairt import worker_jobs as qairt_jobs

from ..stage import Run, Stage


def _key(run: Run) -> Any:
    return [run.graph_digest, run.request.soc, run.precision, run.request.allow_cpu]


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    compiled = run.job(
        qairt_jobs.COMPILE,
        model=str(run.graph),
        soc=run.request.soc,
        out=str(out),
        allow_cpu=run.request.allow_cpu,
    )
    meta: dict[str, Any] = to_plain(compiled)
    # The entry is moved into its place when it is complete: names, not paths.
    names = [Path(item).name for item in (compiled.model, *compiled.binaries)]
    return {**meta, "files": names, "model": names[0], "binaries": names[1:], "log": None}


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    size = sum(meta["sizes"].values())
    traffic = meta["traffic"]
    words = f"{size / 1e6:.1f} MB for {run.request.soc}, QAIRT {meta['qairt']}"
    if traffic["read_bytes"] is not None:
        words += f"; the compiler plans to read {traffic['read_bytes'] / 1e6:.1f} MB and spill "
        words += f"{(traffic['spill_bytes'] or 0) / 1e6:.1f} MB of DDR for one inference"
    return words


STAGE = Stage(name="compile", order=60, version=2, key=_key, build=_build, note=_note)
