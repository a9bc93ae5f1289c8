"""Put everything that the device needs into one self-contained directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.core.json import to_plain

from ..package import build_package, check_package, layout
from ..stage import Run, Stage
from .calibrate import calibration_set
from .quantize import quantized_result


def _key(run: Run) -> Any:
    quantized = [run.keys["calibrate"], to_plain(run.plan)] if run.calibrates else None
    return [
        *([quantized] if quantized else []),
        run.keys["compile"],
        run.meta("capture")["digest"],
        run.request.ref.name,
        run.request.ref.portable,
        layout(),
    ]


def _build(run: Run, out: Path) -> Mapping[str, Any]:
    manifest = build_package(
        out / "package",
        model=run.request.ref.name,
        soc=run.request.soc,
        precision=run.precision,
        capture=run.entries["capture"],
        compiled=run.entries["compile"],
        golden_inputs=run.held_out[0],
        golden_outputs=run.references[0],
        quantization=quantization(run),
        reference=run.request.ref.portable,
    )
    check_package(out / "package")
    return {"files": len(manifest["files"])}


def quantization(run: Run) -> dict[str, Any] | None:
    """What the manifest says of a quantized package; None for any other."""
    result, data = quantized_result(run), calibration_set(run)
    if result is None or data is None or run.plan is None:
        return None
    tensors = [item["name"] for kind in ("inputs", "outputs") for item in run.meta("capture")[kind]]
    return {
        "plan": to_plain(run.plan),
        "encodings": {name: to_plain(result.encodings[name]) for name in tensors if name in result.encodings},
        "calibration": {**to_plain(data), "files": {}, "directory": ""},
        "integer_io": list(result.integer_io),
        "float_nodes": list(result.float_nodes),
        "notes": list(result.notes),
    }


STAGE = Stage(name="package", order=70, version=2, key=_key, build=_build, installed=True)
