"""What a package's manifest, and the file beside a quantized graph, say of how it was quantized."""

from __future__ import annotations

from typing import Any

from aipc.core.plain_data import to_plain

from .build import Build


def quantization_record(build: Build) -> dict[str, Any] | None:
    """As plain JSON data; None for a build that is not quantized. Encodings are of the model's inputs and outputs."""
    quantized, calibration = build.quantized, build.calibration
    if quantized is None or quantized.result is None or calibration is None or build.plan is None:
        return None
    captured, result = build.captured.result, quantized.result
    tensors = [spec.name for spec in (*captured.inputs, *captured.outputs)]
    return {
        "plan": to_plain(build.plan),
        "encodings": {name: to_plain(result.encodings[name]) for name in tensors if name in result.encodings},
        "calibration": {**to_plain(calibration.data), "files": {}, "directory": ""},
        "integer_io": list(result.integer_io),
        "float_nodes": list(result.float_nodes),
        "notes": list(result.notes),
    }
