"""``check``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.core.requests import CheckRequest

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by, without_nodes


def _run(call: Call) -> Any:
    request = request_of(call, CheckRequest, cwd=call.workspace.root)
    return engine.check(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="check",
    title="Check a model for a Snapdragon NPU",
    description="Ask Qualcomm's own compiler which operators of a PyTorch or ONNX model run on a Snapdragon NPU; "
    "a finding, with the compiler's words and its source range, for each that does not. Runs the model's code. "
    "Lines count from 1, columns from 0.",
    run=_run,
    properties=properties_of(CheckRequest),
    required=required_by(CheckRequest),
    long=True,
    brief=without_nodes,
)
