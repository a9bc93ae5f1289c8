"""``agent``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool
from ._arguments import CALIBRATION, MODEL, PRECISION, SOC, calibration_of


def _run(call: Call) -> Any:
    from aipc.agent.results import Budget, goal_of

    replay = call.get("replay")
    request = engine.AgentRequest(
        call.model,
        goal_of(call.get("goal", "deploy")),
        call.get("soc"),
        Budget(tokens=int(call.get("tokens", 200_000)), seconds=float(call.get("seconds", 1800.0))),
        apply=call.get("apply", False),
        cwd=call.workspace.root,
        replay=call.workspace.path(replay) if replay else None,
        precision=call.get("precision"),
        calibration=calibration_of(call),
    )
    return engine.agent(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="agent",
    title="Let AIPC's own agent rewrite what no rule solves",
    description="AIPC's own agent asks the language model that the user has configured for it, which costs tokens, for "
    "edits of the model's source; every proposal must keep the outputs, compile and agree in the simulator. Try fix "
    "first. Shows diffs; apply writes what passed every gate.",
    run=_run,
    properties={
        "model": MODEL,
        "goal": {
            "type": "string",
            "description": "deploy (all that stands in the way), export, inputs, or the rule of a finding, with :LINE.",
        },
        "soc": SOC,
        "precision": PRECISION,
        "calibration": CALIBRATION,
        "tokens": {"type": "integer", "minimum": 1, "description": "Cap on prompt and completion tokens together."},
        "seconds": {"type": "number", "minimum": 1, "description": "Cap on the time of the whole run."},
        "apply": {"type": "boolean", "description": "Write the changes that passed every gate."},
        "replay": {"type": "string", "description": "Directory of a trace whose replies are used; asks no model."},
    },
    required=("model",),
    long=True,
    writes=True,
)
