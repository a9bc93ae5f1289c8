"""Read the author's calibration data, hold a part of it out, and see what every tensor of the float graph holds."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.errors import InputError
from aipc.core.hashing import hash_file, hash_value
from aipc.core.json import from_plain, to_plain
from aipc.core.types import TensorSpec
from aipc.quantize import worker_jobs as quantize_jobs
from aipc.quantize.plan import EXAMPLE
from aipc.quantize.results import CalibrationSet

from ..stage import Request, Run, Stage


def _key(run: Run) -> Any:
    request = run.request
    if not run.calibrates:
        return "nothing is quantized"
    return [run.float_digest, run.meta("capture")["digest"], *_source(run), request.held_out_count]


def _source(run: Run) -> list[Any]:
    """What decides the samples, as far as it can be told before they are read."""
    request = run.request
    files = [_named(run, text) for text in (request.calibration, request.preprocess)]
    return [request.calibration, request.calibration_count, request.seed, request.preprocess, files]


def _named(run: Run, text: str | None) -> Any:
    """A folder's names, or the content of the file that a reference names."""
    if not text:
        return None
    path = run.request.ref.root / Path(text.rpartition(":")[0] if ".py:" in text else text).expanduser()
    if path.is_dir():
        return sorted(item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file())
    return hash_file(path) if path.is_file() else None


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    request = run.request
    if not run.calibrates:
        return {"changed": False, "files": {}}
    if not request.calibration:
        raise missing_calibration(run)
    # Beside the cache's entries, which are whole or not there: what an interruption leaves is used by the next run.
    work = run.cache.root / "calibration" / hash_value([run.meta("capture")["digest"], *_source(run)])
    found: CalibrationSet = run.job(quantize_jobs.PREPARE, **samples_wanted(request, run, work))
    statistics = run.cache.root / "calibration" / f"statistics-{hash_value([run.float_digest, found.digest])}"
    seen = run.job(
        quantize_jobs.COLLECT,
        model=str(run.float_graph),
        samples=str(work / "calibration"),
        out=str(statistics),
    )
    run.job(
        quantize_jobs.REFERENCE,
        ref=request.ref,
        capture=str(run.entries["capture"].path),
        samples=str(work / "held-out"),
    )
    shutil.copytree(work / "held-out", out / "held-out")
    shutil.copytree(statistics, out / "statistics")
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(statistics, ignore_errors=True)
    # The entry is moved into its place when it is complete: no paths in it.
    return {
        "changed": True,
        "set": {**to_plain(found), "directory": "", "files": {}},
        "statistics": {**to_plain(seen), "directory": ""},
        "files": dict(found.files),
    }


def samples_wanted(request: Request, captured: Run, out: Path) -> dict[str, Any]:
    """What the job that reads calibration data is given: whose data, how many, and for which inputs.

    Args:
        captured: any run that is captured: its inputs' names and shapes are taken.
    """
    example = str(captured.path("capture", "inputs.npz"))
    return {
        "ref": request.ref,
        "inputs": from_plain(captured.meta("capture")["inputs"], tuple[TensorSpec, ...]),
        "source": example if request.calibration == EXAMPLE else request.calibration,
        "preprocess": request.preprocess,
        "count": request.calibration_count,
        "held_out": request.held_out_count,
        "seed": request.seed,
        "out": str(out),
    }


def missing_calibration(run: Run) -> InputError:
    request = run.request
    name = request.ref.name
    where = f"[tool.aipc.models.{name}]" if request.ref.config else "the model's configuration"
    return InputError(
        f"{run.precision} for {request.soc} needs calibration data, and {name} has none",
        remedy=f'give --calibration DIR (images, .npz, .npy or file.py:name), or add calibration = "..." to {where}',
    )


def calibration_set(run: Run) -> CalibrationSet | None:
    """What calibrated; None where nothing was quantized."""
    entry = run.entries.get("calibrate")
    return from_plain(entry.meta["set"], CalibrationSet) if entry is not None and entry.meta["changed"] else None


def _note(run: Run, meta: Mapping[str, Any]) -> str:
    found = calibration_set(run)
    if found is None:
        return "nothing is quantized"
    words = f"{found.samples} samples, {found.held_out} held out: {found.preprocessing}"
    words = f"RANDOM NUMBERS, not data; {words}" if found.random else words
    return "; ".join([words, *found.warnings, *meta["statistics"]["notes"]])


def _files(meta: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Without data of the author's the key alone decides."""
    return meta["files"] if meta["changed"] and not meta["set"]["random"] else None


STAGE = Stage(
    name="calibrate",
    order=45,
    version=4,
    key=_key,
    build=_build,
    files=_files,
    note=_note,
)
