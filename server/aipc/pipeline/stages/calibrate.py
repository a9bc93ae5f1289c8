"""Read the author's calibration data, hold a part of it out, and see what every tensor of the float graph holds."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from aipc.core.hashing import hash_file, hash_value
from aipc.core.wording import counted
from aipc.quantize import worker_jobs as quantize_jobs
from aipc.quantize.plan import EXAMPLE
from aipc.quantize.quantization_results import CalibrationSet, Statistics

from ..artifacts import CalibrationData, CapturedGraph, RewrittenGraph
from ..build import Build
from ..require_calibration import require_calibration
from ..run import Run
from ..stage import Stage


def _key(build: Build) -> object:
    request = build.request
    if not build.calibrates:
        return "nothing is quantized"
    if request.samples is not None:
        return [build.float_graph.digest, "samples", request.samples.data.digest]
    return [build.float_graph.digest, build.captured.digest, *_source(build), request.held_out_count]


def _source(build: Build) -> list[object]:
    """What decides the samples, as far as it can be told before they are read."""
    request = build.request
    files = [_named(build, text) for text in (request.calibration, request.preprocess)]
    return [request.calibration, request.calibration_count, request.seed, request.preprocess, files]


def _named(build: Build, text: str | None) -> object:
    """A folder's names, or the content of the file that a reference names."""
    if not text:
        return None
    path = build.request.ref.root / Path(text.rpartition(":")[0] if ".py:" in text else text).expanduser()
    if path.is_dir():
        return sorted(item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file())
    return hash_file(path) if path.is_file() else None


def _calibrate(run: Run, out: Path) -> CalibrationData:
    request = run.request
    if not run.calibrates:
        return CalibrationData()
    require_calibration(run)
    if request.samples is not None:
        data = request.samples.data
        statistics = _collect(run, request.samples.folder, out / "statistics")
        return CalibrationData(data=replace(data, directory="", files={}), statistics=statistics)
    # Beside the cache's entries, which are whole or not there: what an interruption leaves is used by the next run.
    work = run.cache.root / "calibration" / hash_value([run.captured.digest, *_source(run)])
    data = read_samples(run, work)
    folder = run.cache.root / "calibration" / f"statistics-{hash_value([run.float_graph.digest, data.digest])}"
    statistics = _collect(run, work, folder)
    run.job(
        quantize_jobs.REFERENCE,
        ref=request.ref,
        capture=str(run.captured.directory),
        samples=str(work / "held-out"),
    )
    shutil.copytree(work / "held-out", out / "held-out")
    shutil.copytree(folder, out / "statistics")
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    return CalibrationData(
        data=replace(data, directory="", files={}),
        statistics=statistics,
        # Without data of the author's the key alone decides.
        files=None if data.random else dict(data.files),
    )


def read_samples(run: Run, out: Path) -> CalibrationSet:
    """Read calibration data with the author's own loader, for the inputs of a captured model.

    Raises:
        InputError: there is no such data, or it does not fit.
    """
    request = run.request
    return run.job(
        quantize_jobs.PREPARE,
        ref=request.ref,
        inputs=run.captured.result.inputs,
        source=str(run.captured.inputs) if request.calibration == EXAMPLE else request.calibration,
        preprocess=request.preprocess,
        count=request.calibration_count,
        held_out=request.held_out_count,
        seed=request.seed,
        out=str(out),
    )


def _collect(run: Run, samples: Path, out: Path) -> Statistics:
    """Run the float graph on samples that calibrate; the result names no directory: it is moved."""
    statistics = run.job(
        quantize_jobs.COLLECT,
        model=str(run.float_graph.graph),
        samples=str(samples / "calibration"),
        out=str(out),
    )
    return replace(statistics, directory="")


def _note(build: Build, calibration: CalibrationData) -> str:
    data = calibration.data
    if data is None or calibration.statistics is None:
        return "nothing is quantized"
    note = f"{counted(data.samples, 'sample')}, {data.held_out} held out: {data.preprocessing}"
    note = f"RANDOM NUMBERS, not data; {note}" if data.random else note
    return "; ".join([note, *data.warnings, *calibration.statistics.notes])


STAGE = Stage(
    name="calibrate",
    order=45,
    version=5,
    artifact=CalibrationData,
    needs=(CapturedGraph, RewrittenGraph),
    key=_key,
    make=_calibrate,
    files=lambda calibration: calibration.files,
    note=_note,
)
