"""The findings of the model as it stands, with the compiler's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._tool import AgentTool, Context, finding_text, shortened, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    checked = context.checked
    if checked.error is not None:
        return f"the model cannot be checked: {checked.error}"
    lines = [checked.reason] if checked.reason else []
    lines += [finding_text(item, context.scratch) for item in checked.findings]
    return shortened("\n".join(lines) or "no findings")


TOOL = AgentTool(
    tool("findings", "All findings of the model with your accepted changes, and the compiler's reasons.", {}), _run
)
