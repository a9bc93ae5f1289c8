"""``placement``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.core.requests import CheckRequest

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by


def _run(call: Call) -> Any:
    request = request_of(call, CheckRequest, cwd=call.workspace.root)
    return engine.placement(request, call.get("all", False), call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="placement",
    title="Where each node runs",
    description="The nodes of a model that do not run on the NPU, each with the compiler's reason, the expression "
    "that made it and its module; with all, every node.",
    run=_run,
    properties={
        **properties_of(CheckRequest, without=("quick", "numerics")),
        "all": {"type": "boolean", "description": "Also the nodes that run on the NPU."},
    },
    required=required_by(CheckRequest),
    long=True,
)
