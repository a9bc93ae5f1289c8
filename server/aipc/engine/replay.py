"""Replay inputs that ``run.py --record`` kept on a device: accuracy against PyTorch, drift from calibrated ranges."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.config import ModelRef, load_config
from aipc.core.errors import InputError
from aipc.core.package_manifest import APPLICATION, check_package
from aipc.core.scratch import scratch_directory
from aipc.core.types import Finding, OutputAccuracy, Severity
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.probes.worker_jobs import COMPARE_FINITE
from aipc.quantize.worker_jobs import REFERENCE

from ._run import OnEvent
from .evaluating import captured_graph, model_of
from .packages import run_options, verify_threshold
from .samples import run_samples

SAMPLES = 64
"""Replayed at most: the simulator takes seconds for each of a larger model."""
_FORMAT = 1
_CLIPPED = 0.01
"""Share of clipped values from which an input has drifted. Calibration by percentiles clips a thousandth by itself."""
_USED = 0.125
"""Share of the calibrated range that live inputs use at least: below an eighth, three bits of the integers are lost."""
_DEVICE_MARGIN_DB = 3.0
"""What a device may be farther from PyTorch than the package is here: the margin of the self-test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDrift:
    """The recorded values of one input, in real numbers.

    Args:
        calibrated: the range that its integers hold; None in a package that takes floats.
        clipped: share of the values outside of it.
        used: share of it between the lowest and the highest recorded value; None without a range.
    """

    name: str
    values: int
    low: float | None
    high: float | None
    not_finite: int
    calibrated: tuple[float, float] | None
    clipped: float
    used: float | None
    drifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedSample:
    """One recorded run: SQNR in dB of its worst output against PyTorch.

    Args:
        sqnr_db: of the package, run again on the same inputs.
        recorded_sqnr_db: of the outputs that the device gave; None where it kept none.
    """

    file: str
    output: str
    sqnr_db: float
    recorded_sqnr_db: float | None
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedReport:
    """``ok`` is False when an input has drifted, or a sample is farther from PyTorch than ``threshold_db``."""

    package: str
    model: str
    soc: str
    precision: str
    target: str
    recorded: str
    runs: int
    """Runs on the device while it recorded; ``samples`` were kept and replayed."""
    reference: str
    threshold_db: float
    inputs: tuple[InputDrift, ...]
    samples: tuple[ReplayedSample, ...]
    findings: tuple[Finding, ...]
    ok: bool


def verify_recorded(
    package: Path,
    recorded: Path,
    target: str | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> RecordedReport:
    """Replay what was recorded with a package, and say where its inputs left what it was calibrated for.

    Raises:
        InputError: nothing was recorded there, another package was, or PyTorch's model is needed and gone.
        PackageError: the package is damaged.
    """
    package, target = package.resolve(), target or "simulator"
    manifest = check_package(package)
    if manifest.get("kind") == APPLICATION:
        raise InputError(f"{package} is an application", remedy="record with the runner of one of its graphs")
    counts = _counts(recorded, manifest)
    files = sorted((recorded / "inputs").glob("*.npz"))[:SAMPLES]
    inputs = tuple(_drift(spec, manifest, counts) for spec in manifest["inputs"])
    threshold = verify_threshold(manifest, manifest.get("gates", {}).get("verify", {}))
    config = load_config(package)
    ref = model_of(manifest, config.root)
    samples: tuple[ReplayedSample, ...] = ()
    if files:
        with pool_or_new(pool) as workers:
            samples = _replayed(files, package, manifest, ref, target, threshold, workers, on_event, cancel)
    findings = (*_drift_findings(inputs), *_sample_findings(samples, threshold))
    return RecordedReport(
        package=str(package),
        model=manifest["model"],
        soc=manifest["soc"],
        precision=manifest["precision"],
        target=target,
        recorded=str(recorded),
        runs=sum(item["runs"] for item in counts),
        reference="PyTorch" if ref and ref.runs_pytorch else "the fp32 graph on the CPU",
        threshold_db=threshold,
        inputs=inputs,
        samples=samples,
        findings=findings,
        ok=not findings,
    )


def _counts(recorded: Path, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each recording process counted. Raises InputError: there is nothing, or it is of another package."""
    counts = []
    wanted = hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()
    for path in sorted(recorded.glob("*.ranges.json")):
        try:
            document = json.loads(path.read_text("utf-8"))
            known = document["format"] == _FORMAT and isinstance(document["ranges"], dict)
            identity, _ = document["package"], int(document["runs"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is damaged", remedy="remove it", detail=str(error)) from error
        if not known:
            raise InputError(f"{path} is of another version of AIPC", remedy="record again with a package of this one")
        if identity != wanted:
            raise InputError(
                f"{path} was recorded with another package of {document['model']}",
                remedy="name the package that was recorded",
            )
        counts.append(document)
    if not counts:
        raise InputError(
            f"{recorded} has no recording",
            remedy="run the package with run.py --input … --record DIR, and copy that directory here",
        )
    return counts


def _drift(spec: Mapping[str, Any], manifest: Mapping[str, Any], counts: Sequence[Mapping[str, Any]]) -> InputDrift:
    ranges = [item["ranges"][spec["name"]] for item in counts if spec["name"] in item["ranges"]]
    lows = [item["low"] for item in ranges if item["low"] is not None]
    highs = [item["high"] for item in ranges if item["high"] is not None]
    low, high = min(lows, default=None), max(highs, default=None)
    values = sum(item["values"] for item in ranges)
    not_finite = sum(item["not_finite"] for item in ranges)
    clipped = sum(item["saturated"] for item in ranges) / max(1, values)
    calibrated = _calibrated(spec, manifest)
    used = None
    if calibrated and low is not None and high is not None:
        inside = min(high, calibrated[1]) - max(low, calibrated[0])
        used = max(0.0, inside / (calibrated[1] - calibrated[0]))
    # A single value, such as a temperature, has no range of its own in one run.
    narrow = used is not None and used < _USED and math.prod(spec["shape"]) > 1
    return InputDrift(
        name=spec["name"],
        values=values,
        low=low,
        high=high,
        not_finite=not_finite,
        calibrated=calibrated,
        clipped=clipped,
        used=used,
        drifted=bool(clipped > _CLIPPED or narrow or (calibrated and not_finite)),
    )


def _calibrated(spec: Mapping[str, Any], manifest: Mapping[str, Any]) -> tuple[float, float] | None:
    """The real numbers that an input's integers hold. Integer inputs that were never floats have no such range."""
    encodings = (manifest.get("quantization") or {}).get("encodings") or {}
    encoding = spec.get("encoding") or encodings.get(spec["name"])
    if not encoding or not spec["dtype"].startswith("float"):
        return None
    signed, bits = not encoding["dtype"].startswith("u"), int(encoding["dtype"].lstrip("uint"))
    least = -(1 << (bits - 1)) if signed else 0
    ends = (least - encoding["zero_point"], least + (1 << bits) - 1 - encoding["zero_point"])
    return ends[0] * encoding["scale"], ends[1] * encoding["scale"]


def _replayed(
    files: Sequence[Path],
    package: Path,
    manifest: Mapping[str, Any],
    ref: ModelRef | None,
    target: str,
    threshold: float,
    workers: WorkerPool,
    on_event: OnEvent | None,
    cancel: threading.Event | None,
) -> tuple[ReplayedSample, ...]:
    capture = captured_graph(manifest)
    live = ref or ModelRef(manifest["model"], "captured", capture, None, None, None, capture)
    with scratch_directory() as folder:
        pairs = []
        for number, file in enumerate(files):
            inputs = folder / f"{number:05d}.npz"
            shutil.copyfile(file, inputs)
            pairs.append((inputs, folder / f"output-{number:05d}.npz"))
        arguments = {"ref": live, "capture": str(capture), "samples": str(folder)}
        workers.run(REFERENCE, arguments, on_event=on_event, cancel=cancel)
        options = run_options(package, target)
        run_samples(package, pairs, target, workers, on_event, cancel, options)

        def compared(reference: Path, actual: Path) -> OutputAccuracy:
            names = {"reference_npz": str(reference), "actual_npz": str(actual)}
            outputs = workers.run(COMPARE_FINITE, names, on_event=on_event, cancel=cancel)
            return min(outputs, key=lambda item: item.sqnr_db)

        samples = []
        for file, (inputs, outputs) in zip(files, pairs, strict=True):
            reference = inputs.with_suffix(".reference.npz")
            worst = compared(reference, outputs)
            recorded_outputs = file.parents[1] / "outputs" / file.name
            recorded_db = compared(reference, recorded_outputs).sqnr_db if recorded_outputs.is_file() else None
            least = min(threshold, worst.sqnr_db) - _DEVICE_MARGIN_DB
            samples.append(
                ReplayedSample(
                    file=file.name,
                    output=worst.name,
                    sqnr_db=worst.sqnr_db,
                    recorded_sqnr_db=recorded_db,
                    ok=worst.sqnr_db >= threshold and (recorded_db is None or recorded_db >= least),
                )
            )
    return tuple(samples)


def _drift_findings(inputs: Sequence[InputDrift]) -> tuple[Finding, ...]:
    findings = []
    for item in inputs:
        if not item.drifted or item.calibrated is None:
            continue
        low, high = item.calibrated
        if item.not_finite:
            what = f"has {item.not_finite} NaN or infinite values among {item.values} recorded ones"
        elif item.clipped > _CLIPPED:
            what = f"is clipped: {item.clipped:.1%} of its recorded values lie outside of {low:.4g} to {high:.4g}"
        else:
            what = f"uses {item.used or 0.0:.1%} of the calibrated range {low:.4g} to {high:.4g}"
        reach = f"recorded {item.low:.4g} to {item.high:.4g}" if item.low is not None else "nothing finite recorded"
        message = f"Input {item.name} {what} ({reach})."
        findings.append(Finding("input-drift", Severity.WARNING, message, None, evidence={"input": item.name}))
    return tuple(findings)


def _sample_findings(samples: Sequence[ReplayedSample], threshold: float) -> tuple[Finding, ...]:
    findings = []
    below = [item for item in samples if item.sqnr_db < threshold]
    if below:
        worst = min(below, key=lambda item: item.sqnr_db)
        message = (
            f"On {len(below)} of {len(samples)} recorded inputs the package is below {threshold:.1f} dB SQNR against "
            f"PyTorch; output {worst.output} has {worst.sqnr_db:.1f} dB on {worst.file}."
        )
        findings.append(Finding("recorded-accuracy", Severity.WARNING, message, None))
    apart = [item for item in samples if not item.ok and item not in below]
    if apart:
        worst = min(apart, key=lambda item: item.recorded_sqnr_db or 0.0)
        message = (
            f"On {len(apart)} of {len(samples)} recorded inputs the device answered otherwise than the package does "
            f"here: {worst.recorded_sqnr_db:.1f} dB against {worst.sqnr_db:.1f} dB SQNR on {worst.file}."
        )
        findings.append(Finding("recorded-accuracy", Severity.WARNING, message, None))
    return tuple(findings)
