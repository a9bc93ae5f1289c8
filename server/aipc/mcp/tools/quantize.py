"""``quantize``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool
from ._arguments import CALIBRATION, CALIBRATION_COUNT, MODEL, NO_CACHE, SOC, calibration_of


def _run(call: Call) -> Any:
    out = call.get("out")
    request = engine.QuantizeRequest(
        model=call.model,
        soc=call.get("soc"),
        precision=call.get("precision"),
        calibration=calibration_of(call),
        calibration_count=call.get("calibration_count"),
        out=call.workspace.path(out) if out else None,
        cwd=call.workspace.root,
        use_cache=not call.get("no_cache", False),
    )
    return engine.quantize(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="quantize",
    title="Quantize a model",
    description="Quantize a model with calibration data and write the graph with its encodings; to deploy it, call "
    "deploy with precision instead.",
    run=_run,
    properties={
        "model": MODEL,
        "soc": SOC,
        "precision": {
            "type": "string",
            "description": "w8a16, w8a8 or w4a16. Default: the configuration's, else w8a16.",
        },
        "calibration": CALIBRATION,
        "calibration_count": CALIBRATION_COUNT,
        "out": {"type": "string", "description": "Directory for the quantized graph, inside the workspace."},
        "no_cache": NO_CACHE,
    },
    required=("model",),
    long=True,
    writes=True,
)
