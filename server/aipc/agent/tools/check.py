"""Check edits without judging their numbers: what the compiler would say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipc.core.wording import counted

from ._tool import EDITS, AgentTool, Context, edits_of, finding_text, patched, shortened, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    scratch = patched(context, edits_of(arguments["edits"]))
    checked = context.bench.check(scratch)
    if checked.tried:
        return f"the code tried what the sandbox forbids: {', '.join(checked.tried)}"
    if checked.error is not None:
        return f"it cannot be checked: {checked.error}"
    lines = [checked.reason] if checked.reason else [f"captured; {counted(checked.off, 'node')} off the NPU"]
    lines += [finding_text(item, scratch) for item in checked.findings]
    return shortened("\n".join(lines))


TOOL = AgentTool(
    tool(
        "check",
        "Ask the compiler about edits without proposing them. Says nothing about whether the numbers stay equal.",
        {"edits": EDITS},
        ("edits",),
    ),
    _run,
)
