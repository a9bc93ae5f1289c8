"""``deploy``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool
from ._arguments import (
    CALIBRATION,
    CALIBRATION_COUNT,
    MODEL,
    NO_CACHE,
    PRECISION,
    SETUP,
    SOC,
    TARGET,
    calibration_of,
    target_of,
)


def _run(call: Call) -> Any:
    out = call.get("out")
    request = engine.DeployRequest(
        model=call.model,
        soc=call.get("soc"),
        precision=call.get("precision"),
        target=call.get("target"),
        out=call.workspace.path(out) if out else None,
        allow_cpu=call.get("allow_cpu", False),
        cwd=call.workspace.root,
        use_cache=not call.get("no_cache", False),
        calibration=calibration_of(call),
        calibration_count=call.get("calibration_count"),
        setup=bool(call.get("setup", False)),
    )
    return engine.deploy(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="deploy",
    title="Deploy a model to Snapdragon",
    description="Take a model to a verified package: capture, rewrite what the NPU refuses, compile, run, compare with "
    "PyTorch, a gate after each stage. ok is false when a gate was not passed; capsule then has the smallest part "
    "that fails. Latency is null unless a device measured it.",
    run=_run,
    properties={
        "model": MODEL,
        "soc": SOC,
        "precision": PRECISION,
        "target": TARGET,
        "setup": SETUP,
        "out": {"type": "string", "description": "Directory for the package, inside the workspace."},
        "allow_cpu": {"type": "boolean", "description": "Leave operators on the CPU that the NPU does not run."},
        "calibration": CALIBRATION,
        "calibration_count": CALIBRATION_COUNT,
        "no_cache": NO_CACHE,
    },
    required=("model",),
    long=True,
    writes=True,
    target=target_of,
)
