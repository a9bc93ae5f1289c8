"""``run``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool
from ._arguments import PACKAGE, SETUP, TARGET


def _run(call: Call) -> Any:
    inputs, target = call.get("input"), call.get("target", "simulator")
    package = call.workspace.path(call.arguments["package"])
    return engine.run_package(
        package,
        call.workspace.path(inputs) if inputs else None,
        call.workspace.path(call.get("output", "outputs.npz")),
        target,
        call.pool,
        call.on_event,
        call.cancel,
        engine.run_options(package, target, setup=bool(call.get("setup", False)), cwd=call.workspace.root),
    )


TOOL = Tool(
    name="run",
    title="Run a package",
    description="Run a deployed package on arrays (.npz by input name; its golden inputs by default) and write the "
    "outputs to a .npz file.",
    run=_run,
    properties={
        "package": PACKAGE,
        "input": {"type": "string", "description": "A .npz file with one array for each input."},
        "output": {"type": "string", "description": "The .npz file for the outputs. Default: outputs.npz."},
        "target": TARGET,
        "setup": SETUP,
    },
    required=("package",),
    long=True,
    writes=True,
    target=lambda call: str(call.get("target", "simulator")),
)
