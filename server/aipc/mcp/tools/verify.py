"""``verify``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool
from ._arguments import PACKAGE, SETUP, TARGET


def _run(call: Call) -> Any:
    package = call.workspace.path(call.arguments["package"])
    target = call.get("target", "simulator")
    setup = bool(call.get("setup", False))
    return engine.verify_all(
        (package,), target, call.pool, call.on_event, call.cancel, setup=setup, every=False, cwd=call.workspace.root
    ).reports[0]


TOOL = Tool(
    name="verify",
    title="Verify a package",
    description="Run a deployed package on its golden inputs again and compare with PyTorch's outputs. ok is false if "
    "they differ by more than its deployment allowed.",
    run=_run,
    properties={"package": PACKAGE, "target": TARGET, "setup": SETUP},
    required=("package",),
    long=True,
    target=lambda call: str(call.get("target", "simulator")),
)
