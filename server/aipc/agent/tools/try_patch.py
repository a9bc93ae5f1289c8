"""Propose a change: it goes through every gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._tool import EDITS, AgentTool, Context, edits_of, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    return context.propose(arguments["title"], edits_of(arguments["edits"]))


TOOL = AgentTool(
    tool(
        "try_patch",
        "Propose a change of the source. It is applied to a scratch copy and judged: numbers against the original on "
        "inputs that nobody has seen, the compiler, the simulator. The answer is what was measured.",
        {"title": {"type": "string", "description": "What the change does, in one line."}, "edits": EDITS},
        ("title", "edits"),
    ),
    _run,
)
