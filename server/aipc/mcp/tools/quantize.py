"""``quantize``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.core.requests import QuantizeRequest

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by


def _run(call: Call) -> Any:
    request = request_of(call, QuantizeRequest, cwd=call.workspace.root)
    return engine.quantize(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="quantize",
    title="Quantize a model",
    description="Quantize a model with calibration data and write the graph with its encodings; to deploy it, call "
    "deploy with precision instead.",
    run=_run,
    properties=properties_of(QuantizeRequest),
    required=required_by(QuantizeRequest),
    long=True,
    writes=True,
)
