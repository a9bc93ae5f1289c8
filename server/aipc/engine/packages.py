"""Finished packages: run one, and verify it again."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.cache import Cache
from aipc.core.types import (
    Finding,
    Gate,
    OutputAccuracy,
)
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.findings import numerics_findings, read_source_map
from aipc.pipeline.gates import package_gate
from aipc.pipeline.package import check_package
from aipc.qairt.runtime import require_qairt
from aipc.targets import RunOptions, run_on

from ._run import OnEvent


@dataclass(frozen=True, slots=True)
class RunReport:
    """One execution of a package. ``latency`` is None unless a device measured it."""

    package: str
    target: str
    outputs: tuple[Mapping[str, Any], ...]
    output_file: str
    latency: Mapping[str, Any] | None
    host_seconds: float


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """A package run again on its golden inputs and held against PyTorch's golden outputs."""

    package: str
    model: str
    soc: str
    target: str
    ok: bool
    gate: Gate
    accuracy: tuple[OutputAccuracy, ...]
    deployed: Mapping[str, Any]
    """The gates that the package passed when it was deployed."""
    findings: tuple[Finding, ...] = ()


def run_package(
    package: Path,
    inputs: Path | None = None,
    output: Path | None = None,
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    options: RunOptions | None = None,
) -> RunReport:
    """Run a package on ``inputs`` (.npz; the golden ones by default) and write its outputs to ``output`` (.npz).

    Needs onnxruntime, onnxruntime-qnn and numpy; no PyTorch.
    """
    package = package.resolve()
    manifest = check_package(package)
    require_qairt()
    source = (inputs or package / "golden" / "inputs.npz").resolve()
    destination = (output or Path("outputs.npz")).resolve()
    with pool_or_new(pool) as workers:

        def job(name: str, **arguments: Any) -> Any:
            return workers.run(name, arguments, on_event=on_event, cancel=cancel)

        result = run_on(
            job, target, package=package, inputs=source, outputs=destination, options=options or RunOptions()
        )
    return RunReport(
        str(package),
        target,
        tuple(manifest["outputs"]),
        str(destination),
        result.latency,
        result.host_seconds,
    )


def verify(
    package: Path,
    target: str = "simulator",
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> VerifyReport:
    """Run a package's golden inputs again and gate its outputs, as its deployment did."""
    package = package.resolve()
    manifest = check_package(package)
    with pool_or_new(pool) as workers, tempfile.TemporaryDirectory() as directory:
        actual = Path(directory) / "outputs.npz"
        run_package(package, None, actual, target, workers, on_event, cancel)
        arguments = {"reference_npz": str(package / "golden" / "outputs.npz"), "actual_npz": str(actual)}
        outputs = workers.run("aipc.qairt.package_jobs:compare", arguments, on_event=on_event, cancel=cancel)
        deployed = manifest.get("gates", {})
        gate = package_gate(outputs, {"sqnr_db": _verify_threshold(manifest, deployed.get("verify", {}))})
        findings = () if gate.ok else _localize_package(manifest, workers, on_event, cancel)
    return VerifyReport(
        str(package), manifest["model"], manifest["soc"], target, gate.ok, gate, tuple(outputs), deployed, findings
    )


def _verify_threshold(manifest: Mapping[str, Any], passed: Mapping[str, Any]) -> float:
    """The threshold of the deployment; a package that passed below it, by the rule on ideal fp16, keeps what it had."""
    threshold = float(passed.get("threshold", manifest["self_test_sqnr_db"]))
    had = passed.get("value")
    return min(threshold, float(had) - 1.0) if isinstance(had, (int, float)) else threshold


def _localize_package(
    manifest: Mapping[str, Any], pool: WorkerPool, on_event: OnEvent | None, cancel: threading.Event | None
) -> tuple[Finding, ...]:
    """Where a package goes wrong, as long as the graph that it was compiled from is still in the cache."""
    entry = Cache().get(manifest.get("capture", ""))
    if entry is None:
        return ()
    arguments = {
        "model": str(entry.path / "model.onnx"),
        "inputs_npz": str(entry.path / "inputs.npz"),
        "soc": manifest["soc"],
        "divergence": True,
        "seconds": 120.0,
    }
    found = pool.run("aipc.qairt.package_jobs:localize", arguments, on_event=on_event, cancel=cancel)
    return numerics_findings(found, read_source_map(entry.path / "source_map.json"), manifest["soc"])
