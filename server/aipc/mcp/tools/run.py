"""``run``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.core.requests import RunRequest

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by


def _run(call: Call) -> Any:
    request = request_of(call, RunRequest)
    target = request.target or "simulator"
    options = engine.run_options(
        request.package, target, setup=request.setup, repeat=request.repeat, cwd=call.workspace.root
    )
    output = request.output or call.workspace.path("outputs.npz")
    return engine.run_package(
        request.package, request.input, output, target, call.pool, call.on_event, call.cancel, options
    )


TOOL = Tool(
    name="run",
    title="Run a package",
    description="Run a deployed package on arrays (.npz by input name; its golden inputs by default) and write the "
    "outputs to a .npz file.",
    run=_run,
    properties=properties_of(RunRequest),
    required=required_by(RunRequest),
    long=True,
    writes=True,
    target=lambda call: str(call.get("target", "simulator")),
)
