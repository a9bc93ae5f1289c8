"""``fix``."""

from __future__ import annotations

from typing import Any

from aipc.core.requests import FixRequest
from aipc.fix import fix

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by


def _run(call: Call) -> Any:
    request = request_of(call, FixRequest, cwd=call.workspace.root)
    return fix(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="fix",
    title="Fix a model's source with proved edits",
    description="Edits of the model's source that make the NPU run it, each proved on this very model: equal outputs, "
    "compiles, right in the simulator. Shows diffs; apply writes them. What it cannot fix is in left.",
    run=_run,
    properties=properties_of(FixRequest),
    required=required_by(FixRequest),
    long=True,
    writes=True,
)
