"""``agent``."""

from __future__ import annotations

from typing import Any

from aipc import engine
from aipc.agent.request import AgentRequest

from ..tool import Call, Tool
from ._arguments import properties_of, request_of, required_by


def _run(call: Call) -> Any:
    request = request_of(call, AgentRequest, cwd=call.workspace.root)
    return engine.agent(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="agent",
    title="Let AIPC's own agent rewrite what no rule solves",
    description="AIPC's own agent asks the language model that the user has configured for it, which costs tokens, for "
    "edits of the model's source; every proposal must keep the outputs, compile and agree in the simulator. Try fix "
    "first. Shows diffs; apply writes what passed every gate.",
    run=_run,
    properties=properties_of(AgentRequest),
    required=required_by(AgentRequest),
    long=True,
    writes=True,
)
