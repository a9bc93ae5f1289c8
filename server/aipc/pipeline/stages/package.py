"""Put everything that the device needs into one self-contained directory."""

from __future__ import annotations

from pathlib import Path

from aipc.core.plain_data import to_plain

from ..artifacts import BuiltPackage, CalibrationData, CapturedGraph, CompiledGraph, QuantizedGraph
from ..build import Build
from ..package import build_package, check_package, layout
from ..quantization_record import quantization_record
from ..run import Run
from ..stage import Stage


def _key(build: Build) -> object:
    artifacts, ref = build.artifacts, build.request.ref
    quantized = [[artifacts[CalibrationData].key, to_plain(build.plan)]] if build.calibrates else []
    return [
        *quantized,
        artifacts[CompiledGraph].key,
        build.captured.digest,
        ref.name,
        ref.portable,
        layout(),
    ]


def _package(run: Run, out: Path) -> BuiltPackage:
    manifest = build_package(
        out / "package",
        model=run.request.ref.name,
        soc=run.request.soc,
        precision=run.precision,
        capture=run.captured,
        compiled=run.artifacts[CompiledGraph],
        golden_inputs=run.held_out[0],
        golden_outputs=run.references[0],
        quantization=quantization_record(run),
        reference=run.request.ref.portable,
    )
    check_package(out / "package")
    return BuiltPackage(files=len(manifest["files"]))


STAGE = Stage(
    name="package",
    order=70,
    version=3,
    artifact=BuiltPackage,
    needs=(CapturedGraph, CalibrationData, QuantizedGraph, CompiledGraph),
    key=_key,
    make=_package,
    installed=True,
)
