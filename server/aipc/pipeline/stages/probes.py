"""Hold the captured graph against PyTorch on probes: input sets beside the example (see ``aipc.probes``)."""

from __future__ import annotations

import ast
from pathlib import Path

from aipc.core.hashing import hash_file, hash_value
from aipc.core.types import Gate
from aipc.probes import worker_jobs as probe_jobs

from ..artifacts import CapturedGraph, ProbeAnswers
from ..build import Build
from ..gates import capture_threshold
from ..probing import graph_probe_results, probes_gate
from ..run import Run
from ..stage import Stage

SECONDS = 3.0
"""For input sets that are made, next to the compiler: some six of a model whose forward takes 0.1 s."""
THOROUGH_SECONDS = 120.0
_MOST_BYTES_BESIDE = 512 << 20
_OF_CALIBRATION = 2
"""Samples of the calibration data that serve as probes where nothing is quantized: each is run in the simulator too."""


def _data(build: Build) -> list[tuple[str, int | None]]:
    """The user's own data: all of ``samples``, and a part of the calibration data where it does not calibrate."""
    config = build.request.ref.config
    sources: list[tuple[str, int | None]] = []
    if config and config.samples:
        sources.append((config.samples, None))
    calibration = build.request.calibration
    if calibration and calibration != "random" and not build.calibrates and not build.variant.is_quantized:
        sources.append((calibration, None if build.request.probes == "all" else _OF_CALIBRATION))
    return sources


def _key(build: Build) -> object:
    if build.request.probes == "none":
        return "no probes"
    request = build.request
    return {
        "capture": build.captured.digest,
        "source": hash_value([_meaning(Path(file)) for file in sorted(build.captured.result.files)]),
        "data": [[text, count, _content(build, text)] for text, count in _data(build)],
        "preprocess": [request.preprocess, _content(build, request.preprocess)],
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


def _content(build: Build, text: str | None) -> object:
    if not text:
        return None
    path = build.request.ref.root / Path(text.rpartition(":")[0] if ".py:" in text else text).expanduser()
    if path.is_dir():
        return sorted([item.name, item.stat().st_size, item.stat().st_mtime_ns] for item in path.rglob("*"))
    return hash_file(path) if path.is_file() else None


def _examine(run: Run, out: Path) -> ProbeAnswers:
    request = run.request
    if request.probes == "none":
        return ProbeAnswers()
    examined = run.job(
        probe_jobs.EXAMINE,
        ref=request.ref,
        capture=str(run.captured.directory),
        inputs=run.captured.result.inputs,
        out=str(out),
        threshold_db=capture_threshold(request.tolerance),
        seconds=THOROUGH_SECONDS if request.probes == "all" else SECONDS,
        data=_data(run),
        preprocess=request.preprocess,
    )
    return ProbeAnswers(examined=examined)


def _beside(build: Build) -> bool:
    """With the compiler, on another core; where the weights are large, both would need more memory than there is."""
    files = build.captured.directory.iterdir()
    return sum(file.stat().st_size for file in files if file.is_file()) < _MOST_BYTES_BESIDE


def _gate(build: Build, answers: ProbeAnswers) -> Gate | None:
    if answers.examined is None:
        return None
    tolerance = build.request.tolerance
    return probes_gate(graph_probe_results(answers.examined, tolerance), capture_threshold(tolerance))


def _note(build: Build, answers: ProbeAnswers) -> str:
    examined = answers.examined
    if examined is None:
        return "no probes"
    left = f", {len(examined.left_out)} left out" if examined.left_out else ""
    return f"{len(examined.probes)} probes beside the example{left}"


STAGE = Stage(
    name="probes",
    order=25,
    version=4,
    artifact=ProbeAnswers,
    needs=(CapturedGraph,),
    key=_key,
    make=_examine,
    gate=_gate,
    note=_note,
    beside=_beside,
)
