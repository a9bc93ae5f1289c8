"""End the step: there is no change that holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._tool import AgentTool, Context, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    context.give_up(arguments["reason"][:1000])
    return "noted"


TOOL = AgentTool(
    tool(
        "give_up",
        "Say that no change can hold, and why. Better than a change that means something else.",
        {"reason": {"type": "string"}},
        ("reason",),
    ),
    _run,
)
