"""Quantize: the part of deploy that turns a float graph into integers, alone."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.errors import InputError
from aipc.core.install import check_destination, install_output, recover
from aipc.core.names import state_path
from aipc.core.plain_data import to_plain
from aipc.core.requests import QuantizeRequest
from aipc.core.types import Finding, OutputAccuracy, StageRecord
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.numerics import worker_jobs as numerics_jobs
from aipc.pipeline.artifacts import CaptureVerification, QuantizedGraph
from aipc.pipeline.deployment import settle
from aipc.pipeline.effective import INTEGERS
from aipc.pipeline.journal import Journal, new_run_directory, run_lock
from aipc.pipeline.quantization_record import quantization_record
from aipc.pipeline.request import Request
from aipc.pipeline.run import Run
from aipc.pipeline.run_findings import findings_of
from aipc.qairt import worker_jobs as qairt_jobs
from aipc.qairt.runtime import require_qairt
from aipc.quantize.plan import UNIFORM

from ._run import OnEvent, calibrated, configured, counts, new_run, resolve

_PROVENANCE = "quantization.json"
_FILES = frozenset({"model.onnx", "model.data", "model.dlc", _PROVENANCE})
_GOALS = (CaptureVerification, QuantizedGraph)


@dataclass(frozen=True, slots=True)
class QuantizeReport:
    """A quantized ONNX graph with its encodings, and how far its integers, run on the CPU, are from PyTorch."""

    model: str
    soc: str
    precision: str
    ok: bool
    stages: tuple[StageRecord, ...]
    output: str | None
    placement: Mapping[str, int] | None
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    calibration: Mapping[str, Any]
    accuracy: tuple[OutputAccuracy, ...]
    """Of the graph on onnxruntime's CPU provider over the held-out samples: the NPU rounds otherwise."""
    dlc: str | None
    findings: tuple[Finding, ...]
    timings: Mapping[str, float]


def quantize(
    request: QuantizeRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> QuantizeReport:
    """Calibrate and quantize a model, and write the graph with what it was made from.

    Raises:
        AipcError: a stage could not be run. A gate that is not passed is a report with ``ok`` False.
    """
    started = time.perf_counter()
    ref, soc, precision, _ = resolve(
        request.model, request.soc, request.precision, None, request.cwd, request.calibration
    )
    request = configured(request, ref)
    precision = precision if precision != "fp16" or request.precision == "fp16" else INTEGERS
    if precision not in UNIFORM:
        raise InputError(f"{precision} is no quantization to write", remedy=f"use one of {', '.join(UNIFORM)}")
    require_qairt()
    out = request.out or state_path(ref.root, "quantized", f"{ref.name}-{soc}-{precision}")
    out = (request.cwd or Path.cwd()) / out
    recover(out, _ownership_problem)
    check_destination(out, _ownership_problem)
    with pool_or_new(pool) as workers:
        run_request = calibrated(Request(ref, soc, precision), request.calibration, request.calibration_count)
        run = new_run(run_request, workers, on_event, cancel, new_run_directory(ref.root), request.use_cache)
        with run_lock(run.directory):
            journal = Journal(run.directory)
            journal.write("run started", model=ref.name, reference=ref.reference, soc=soc, precision=precision)
            settled = settle(run, journal, _GOALS)
            run, outcome = settled.run, settled.outcome
            accuracy, dlc = _written(run, out, dlc=request.dlc) if outcome.ok else ((), None)
            journal.write("run done", ok=outcome.ok, package=None, capsule=None)
    quantized, data = run.quantized, run.calibration.data if run.calibration else None
    result, placed = (quantized.result, quantized.placement) if quantized else (None, None)
    timings = {record.name: record.seconds for record in outcome.records}
    return QuantizeReport(
        model=ref.name,
        soc=soc,
        precision=precision,
        ok=outcome.ok,
        stages=tuple(outcome.records),
        output=str(out) if outcome.ok else None,
        placement=counts(placed) if placed else None,
        counts=result.counts if result else {},
        notes=result.notes if result else (),
        calibration={**to_plain(data), "files": {}, "directory": ""} if data else {},
        accuracy=accuracy,
        dlc=dlc,
        findings=findings_of(run),
        timings=timings | {"total": round(time.perf_counter() - started, 4)},
    )


def _written(run: Run, out: Path, *, dlc: bool) -> tuple[tuple[OutputAccuracy, ...], str | None]:
    """Put graph, encodings and provenance into ``out``; the graph's accuracy on the CPU, and the DLC's path."""
    quantized = run.quantized
    assert quantized and quantized.result
    accuracy: tuple[OutputAccuracy, ...] = run.job(
        numerics_jobs.ON_CPU,
        model=str(quantized.graph),
        samples=[str(path) for path in run.held_out],
        references=[str(path) for path in run.references],
    )
    names = ("model.onnx", "model.data")
    files = [quantized.directory / name for name in names if (quantized.directory / name).is_file()]
    if dlc:
        path = run.directory / "model.dlc"
        run.job(qairt_jobs.WRITE_DLC, model=str(quantized.graph), soc=run.request.soc, out=str(path))
        files.append(path)
    provenance = {**(quantization_record(run) or {}), "encodings": to_plain(quantized.result.encodings)}

    def build(staging: Path) -> None:
        staging.mkdir()
        for file in files:
            shutil.copyfile(file, staging / file.name)
        (staging / _PROVENANCE).write_text(json.dumps(provenance, indent=2), "utf-8")

    install_output(out, build, _ownership_problem)
    return accuracy, str(out / "model.dlc") if dlc else None


def _ownership_problem(directory: Path) -> str:
    """Why a directory is not one that an earlier quantization wrote, as a clause; "" when it is."""
    try:
        provenance = json.loads((directory / _PROVENANCE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return f"it has no {_PROVENANCE} of AIPC"
    if not isinstance(provenance, dict) or not {"plan", "encodings"} <= provenance.keys():
        return f"its {_PROVENANCE} is not one of AIPC"
    strangers = sorted(path.name for path in directory.iterdir() if path.name not in _FILES or not path.is_file())
    return f"it holds {strangers[0]}, which AIPC did not write" if strangers else ""
