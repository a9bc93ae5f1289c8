"""The package: a directory that runs on the device with onnxruntime, onnxruntime-qnn and numpy, and can be moved."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aipc.core.errors import PackageError
from aipc.core.hashing import hash_file
from aipc.core.install import check_destination, install_output, recover
from aipc.core.package_manifest import FORMAT, MANIFEST, check_package, ownership_problem, read_manifest
from aipc.core.plain_data import to_plain
from aipc.qairt.soc import SoC, all_socs, get_soc
from aipc.targets.device_runner import RECORDING, RUNNER, RUNNER_VERSION

from .artifacts import CapturedGraph, CompiledGraph
from .probing import VerifiedProbes

__all__ = [
    "FORMAT",
    "MANIFEST",
    "build_package",
    "check_output",
    "check_package",
    "install_package",
    "layout",
    "read_manifest",
    "recover_output",
]

_SELF_TEST_SQNR_DB = 30.0
_DEVICE_MARGIN_DB = 3.0


def layout() -> list[object]:
    """What a package's form depends on besides the model: the format and the runner that goes into it."""
    return [FORMAT, hash_file(RUNNER), hash_file(RECORDING)]


def build_package(
    out: Path,
    *,
    model: str,
    soc: str,
    precision: str,
    capture: CapturedGraph,
    compiled: CompiledGraph,
    golden_inputs: Path | None = None,
    golden_outputs: Path | None = None,
    quantization: Mapping[str, Any] | None = None,
    reference: str | None = None,
) -> dict[str, Any]:
    """Write a package into the new directory ``out`` and return its manifest.

    Args:
        golden_inputs, golden_outputs: what the package tests itself with; the capture's own by default.
        reference: what names the model on the command line, from the project's root; its name by default.
        quantization: of a quantized package: the plan, its inputs' and outputs' encodings, where its data came from.
    """
    golden = out / "golden"
    golden.mkdir(parents=True)
    for name in compiled.files:
        shutil.copyfile(compiled.directory / name, out / name)
    shutil.copyfile(golden_inputs or capture.inputs, golden / "inputs.npz")
    shutil.copyfile(golden_outputs or capture.reference, golden / "outputs.npz")
    shutil.copyfile(RUNNER, out / RUNNER.name)
    shutil.copyfile(RECORDING, out / RECORDING.name)
    files = {path.relative_to(out).as_posix(): hash_file(path) for path in sorted(out.rglob("*")) if path.is_file()}
    manifest = {
        "format": FORMAT,
        "model": model,
        "reference": reference or model,
        "soc": soc,
        "soc_model": compiled.result.soc_id,
        "htp_arch": compiled.result.htp_arch,
        "vtcm_mb": get_soc(soc).vtcm_mb,
        "soc_names": _names([get_soc(soc)]),
        "other_socs": _names([other for other in all_socs() if other != get_soc(soc)]),
        "precision": precision,
        "qairt": compiled.result.qairt,
        "entry": compiled.result.model,
        "inputs": to_plain(capture.result.inputs),
        "outputs": to_plain(capture.result.outputs),
        **({"state": dict(capture.result.state)} if capture.result.state else {}),
        "cpu_nodes": list(compiled.result.cpu_nodes),
        "capture": capture.directory.name,
        "runner": RUNNER_VERSION,
        "self_test_sqnr_db": _SELF_TEST_SQNR_DB,
        "files": files,
    }
    if quantization:
        manifest["quantization"] = quantization
        if quantization["integer_io"]:
            encodings = {name: quantization["encodings"][name] for name in quantization["integer_io"]}
            # The package takes and gives the integers; what is asked of it by name stays in real numbers.
            for kind in ("inputs", "outputs"):
                manifest[kind] = [_encoded(spec, encodings) for spec in manifest[kind]]
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2), "utf-8")
    return manifest


def _names(socs: Sequence[SoC]) -> list[str]:
    """What systems may call these chips: the runner knows by it whether it is on another one."""
    return sorted({name.lower() for soc in socs for name in (soc.part, *soc.aliases)})


def _encoded(spec: Mapping[str, Any], encodings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    encoding = encodings.get(spec["name"])
    return (
        {**spec, "encoding": {key: encoding[key] for key in ("dtype", "scale", "zero_point")}}
        if encoding
        else dict(spec)
    )


def _copy(source: Path, destination: Path, files: Mapping[str, str]) -> None:
    """Copy the files that the manifest lists, each hashed as it arrived. Raises :class:`PackageError`."""
    for name, digest in files.items():
        (destination / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, destination / name)
        if hash_file(destination / name) != digest:
            raise PackageError(
                f"{source / name} is damaged: its content is not what was written",
                remedy="deploy again with --no-cache",
            )


def _earlier(destination: Path, files: Mapping[str, str]) -> dict[str, Any]:
    """Where the package that is replaced was verified, if it is the same one."""
    try:
        manifest = read_manifest(destination)
    except PackageError:
        return {}
    return dict(manifest.get("deployments", {})) if manifest["files"] == files else {}


def _with_probes(staging: Path, manifest: Mapping[str, Any], verified: VerifiedProbes) -> dict[str, Any]:
    """What the manifest says of probes: each with its result, and the worst as a further golden vector."""
    fields: dict[str, Any] = {"verified_on": to_plain(verified.results)}
    worst = verified.worst
    if worst is None or verified.inputs is None or verified.outputs is None or worst.package_sqnr_db is None:
        return fields
    names = {"inputs": "golden/probe-inputs.npz", "outputs": "golden/probe-outputs.npz"}
    shutil.copyfile(verified.inputs, staging / names["inputs"])
    shutil.copyfile(verified.outputs, staging / names["outputs"])
    limits = [value for value in (worst.package_sqnr_db, worst.threshold_db) if value is not None]
    threshold = max(0.0, min(limits) - _DEVICE_MARGIN_DB)
    fields["golden_probes"] = [{"title": worst.title, **names, "sqnr_db": threshold}]
    fields["files"] = {**manifest["files"], **{name: hash_file(staging / name) for name in names.values()}}
    return fields


def _self_test_threshold(gates: Mapping[str, Any]) -> float:
    """What the package reached when it was verified, less a margin for the differences between devices."""
    gate = gates.get("verify") or {}
    if gate.get("metric") != "sqnr_db":
        return _SELF_TEST_SQNR_DB
    values = [value for value in (gate.get("value"), gate.get("threshold")) if isinstance(value, (int, float))]
    return max(0.0, min(values) - _DEVICE_MARGIN_DB) if values else _SELF_TEST_SQNR_DB


def check_output(destination: Path) -> None:
    """Raises StorageError unless a package can be installed at ``destination`` without losing anything."""
    check_destination(destination, ownership_problem)


def recover_output(destination: Path) -> None:
    """Put back a package that a killed installation had moved out of the way."""
    recover(destination, ownership_problem)


def install_package(
    source: Path,
    destination: Path,
    gates: Mapping[str, Any],
    deployments: Mapping[str, Any] | None = None,
    reports: Sequence[Path] = (),
    verified: VerifiedProbes | None = None,
) -> None:
    """Copy a finished package to where the user wants it: whole, or not at all.

    Args:
        gates: those that it passed.
        deployments: target -> environment that it was verified in; targets of an earlier deployment of the very same
            package are kept.
        reports: files for people that are put next to the manifest.
        verified: the probes that it was judged on; the worst is added to its golden vectors.

    Raises:
        StorageError: the place is taken by something else, full, or cannot be written.
        PackageError: a file of ``source`` is damaged.
    """
    manifest = read_manifest(source) | {"gates": dict(gates)}
    if "self_test_sqnr_db" in manifest:  # an application has no such threshold: its tokens are compared
        manifest["self_test_sqnr_db"] = _self_test_threshold(gates)

    def build(staging: Path) -> None:
        staging.mkdir()
        _copy(source, staging, manifest["files"])
        for report in reports:
            shutil.copyfile(report, staging / report.name)
        tested = manifest | (_with_probes(staging, manifest, verified) if verified else {})
        earlier = _earlier(destination, tested["files"])
        whole = tested | {"deployments": earlier | dict(deployments or {})}
        (staging / MANIFEST).write_text(json.dumps(whole, indent=2), "utf-8")

    install_output(destination, build, ownership_problem)
