"""``deploy``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.core.requests import DeployRequest

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by, target_of


def _run(call: Call) -> Any:
    request = request_of(call, DeployRequest, cwd=call.workspace.root)
    return engine.deploy(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="deploy",
    title="Deploy a model to Snapdragon",
    description="Take a model to a verified package: capture, rewrite what the NPU refuses, compile, run, compare with "
    "PyTorch, a gate after each stage. ok is false when a gate was not passed; capsule then has the smallest part "
    "that fails. Latency is null unless a device measured it.",
    run=_run,
    properties=properties_of(DeployRequest),
    required=required_by(DeployRequest),
    long=True,
    writes=True,
    target=target_of,
)
