"""``check``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool
from ._arguments import MODEL, NO_CACHE, PRECISION, SOC, check_request, without_nodes


def _run(call: Call) -> Any:
    return engine.check(check_request(call), call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="check",
    title="Check a model for a Snapdragon NPU",
    description="Ask Qualcomm's own compiler which operators of a PyTorch or ONNX model run on a Snapdragon NPU; "
    "a finding, with the compiler's words and its source range, for each that does not. Runs the model's code. "
    "Lines count from 1, columns from 0.",
    run=_run,
    properties={
        "model": MODEL,
        "soc": SOC,
        "precision": PRECISION,
        "quick": {"type": "boolean", "description": "Validate only; do not compile to the end, which finds more."},
        "numerics": {"type": "boolean", "description": "Also judge each operator's numbers on the simulator."},
        "no_cache": NO_CACHE,
    },
    required=("model",),
    long=True,
    brief=without_nodes,
)
