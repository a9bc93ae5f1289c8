"""``judge``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool
from ._arguments import CALIBRATION, MODEL, PRECISION, SOC, calibration_of


def _run(call: Call) -> Any:
    from aipc.agent.results import goal_of

    request = engine.JudgeRequest(
        call.model,
        call.workspace.path(call.get("edits")),
        goal_of(call.get("goal", "deploy")),
        call.get("soc"),
        call.get("precision"),
        calibration_of(call),
        cwd=call.workspace.root,
    )
    return engine.judge(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="judge",
    title="Judge an edit of a model's source",
    description="Holds your own edit of the model's source against the original: equal outputs on inputs that you have "
    "not seen, sides of branches, findings, compiler and simulator. Call it before you say that an edit is right. "
    "Changes no file; each gate says what was measured.",
    run=_run,
    properties={
        "model": MODEL,
        "edits": {
            "type": "string",
            "description": "File inside the workspace: a unified diff (also of a change already made, from git diff), "
            'or JSON {"edits": [{"file", "old", "new"}]}.',
        },
        "goal": {"type": "string", "description": "A finding that has to go: its rule, with :LINE. Default: none."},
        "soc": SOC,
        "precision": PRECISION,
        "calibration": CALIBRATION,
    },
    required=("model", "edits"),
    long=True,
)
