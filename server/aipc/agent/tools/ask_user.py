"""Ask the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipc.agent.messages import Question

from ._tool import AgentTool, Context, WrongCall, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    choices = arguments.get("choices", [])
    if not all(isinstance(item, str) for item in choices):
        raise WrongCall("choices are strings")
    answer = context.ask(Question(arguments["question"][:1000], tuple(choices[:8])))
    return f"The user answers: {answer}" if answer is not None else "The user gives no answer; go on without."


TOOL = AgentTool(
    tool(
        "ask_user",
        "Ask the user something that only they can know, such as which of two meanings they want.",
        {
            "question": {"type": "string"},
            "choices": {"type": "array", "items": {"type": "string"}},
        },
        ("question",),
    ),
    _run,
    asks=True,
)
