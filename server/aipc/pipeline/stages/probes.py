"""Hold the captured graph against PyTorch on probes: input sets beside the example (see ``aipc.probes``)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.hashing import hash_file, hash_value
from aipc.core.json import from_plain, to_plain
from aipc.core.types import Gate, TensorSpec
from aipc.probes import worker_jobs as probe_jobs

from ..gates import capture_threshold
from ..probing import examined_probes, probe_results, probes_gate
from ..stage import Run, Stage

SECONDS = 1.5
"""For input sets that are made: YOLOv8n, whose forward takes 0.1 s on two cores, is run on all of its seven."""
THOROUGH_SECONDS = 120.0
_OF_CALIBRATION = 2
"""Samples of the calibration data that serve as probes where nothing is quantized: each is run in the simulator too."""


def _data(run: Run) -> list[tuple[str, int | None]]:
    """The user's own data: all of ``samples``, and a part of the calibration data where it does not calibrate."""
    config = run.request.ref.config
    found: list[tuple[str, int | None]] = []
    if config and config.samples:
        found.append((config.samples, None))
    calibration = run.request.calibration
    if calibration and calibration != "random" and not run.calibrates and not run.variant.is_quantized:
        found.append((calibration, None if run.request.probes == "all" else _OF_CALIBRATION))
    return found


def _key(run: Run) -> Any:
    if run.request.probes == "none":
        return "no probes"
    request = run.request
    return {
        "capture": run.meta("capture")["digest"],
        "source": hash_value([_meaning(Path(file)) for file in sorted(run.meta("capture")["files"])]),
        "data": [[text, count, _content(run, text)] for text, count in _data(run)],
        "preprocess": [request.preprocess, _content(run, request.preprocess)],
        "probes": request.probes,
        "threshold": capture_threshold(request.tolerance),
    }


def _meaning(file: Path) -> str:
    """A digest of a file that a comment or a moved line does not change: probes depend on more than the graph."""
    try:
        if file.suffix == ".py":
            return hash_value(ast.dump(ast.parse(file.read_bytes())))
        return hash_file(file)
    except (OSError, SyntaxError, ValueError):
        return ""


def _content(run: Run, text: str | None) -> Any:
    if not text:
        return None
    path = run.request.ref.root / Path(text.rpartition(":")[0] if ".py:" in text else text).expanduser()
    if path.is_dir():
        return sorted([item.name, item.stat().st_size, item.stat().st_mtime_ns] for item in path.rglob("*"))
    return hash_file(path) if path.is_file() else None


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    if run.request.probes == "none":
        return {"changed": False}
    examined = run.job(
        probe_jobs.EXAMINE,
        ref=run.request.ref,
        capture=str(run.entries["capture"].path),
        inputs=from_plain(run.meta("capture")["inputs"], tuple[TensorSpec, ...]),
        out=str(out),
        threshold_db=capture_threshold(run.request.tolerance),
        seconds=THOROUGH_SECONDS if run.request.probes == "all" else SECONDS,
        data=_data(run),
        preprocess=run.request.preprocess,
    )
    return {"changed": True, "examined": to_plain(examined)}


def _gate(run: Run, meta: Mapping[str, Any]) -> Gate | None:
    if not meta["changed"]:
        return None
    return probes_gate(probe_results(run, graph_only=True), capture_threshold(run.request.tolerance))


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    examined = examined_probes(run)
    if examined is None:
        return "no probes"
    left = f", {len(examined.left_out)} left out" if examined.left_out else ""
    return f"{len(examined.probes)} probes beside the example{left}"


STAGE = Stage(name="probes", order=25, version=2, key=_key, build=_build, gate=_gate, note=_note)
