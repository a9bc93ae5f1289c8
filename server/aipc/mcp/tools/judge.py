"""``judge``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.agent.request import JudgeRequest

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by


def _run(call: Call) -> Any:
    request = request_of(call, JudgeRequest, cwd=call.workspace.root)
    return engine.judge(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="judge",
    title="Judge an edit of a model's source",
    description="Holds your own edit of the model's source against the original: equal outputs on inputs that you have "
    "not seen, sides of branches, findings, compiler and simulator. Call it before you say that an edit is right. "
    "Changes no file; each gate says what was measured.",
    run=_run,
    properties=properties_of(JudgeRequest),
    required=required_by(JudgeRequest),
    long=True,
)
