"""Where each agent looks for skills. Adding an agent is adding a row.

By each agent's own documentation, which the row names, as it stood in November 2026: Claude Code reads
``.claude/skills`` and Cursor ``.cursor/skills``, in a project and at home; Codex reads ``.agents/skills`` in both;
GitHub Copilot reads ``.github/skills`` in a project and ``~/.copilot/skills``.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aipc.core.errors import InputError

Scope = Literal["project", "user"]


@dataclass(frozen=True, slots=True)
class Agent:
    """``project`` is relative to a project's root, ``user`` to the home directory."""

    name: str
    title: str
    project: str
    user: str
    source: str
    """The page that says so."""

    def directory(self, scope: Scope, project: Path, home: Path | None = None) -> Path:
        return project / self.project if scope == "project" else (home or Path.home()) / self.user


AGENTS = (
    Agent("agents", "any agent that reads .agents/skills", ".agents/skills", ".agents/skills", "agentskills.io"),
    Agent("claude", "Claude Code", ".claude/skills", ".claude/skills", "code.claude.com/docs/en/skills"),
    Agent("codex", "OpenAI Codex", ".agents/skills", ".agents/skills", "developers.openai.com/codex/skills"),
    Agent(
        "copilot",
        "GitHub Copilot",
        ".github/skills",
        ".copilot/skills",
        "docs.github.com/en/copilot/concepts/customizations/agent-skills",
    ),
    Agent("cursor", "Cursor", ".cursor/skills", ".cursor/skills", "cursor.com/docs/skills"),
    Agent("gemini", "Gemini CLI", ".gemini/skills", ".gemini/skills", "geminicli.com/docs/cli/skills"),
    Agent("opencode", "opencode", ".opencode/skills", ".config/opencode/skills", "opencode.ai/docs/skills"),
)


def get_agent(name: str) -> Agent:
    """Raises InputError when no such agent is known."""
    for agent in AGENTS:
        if agent.name == name.lower():
            return agent
    names = [agent.name for agent in AGENTS]
    near = difflib.get_close_matches(name.lower(), names, 1)
    raise InputError(
        f"{name} is not an agent that AIPC knows",
        remedy=f"did you mean {near[0]}?" if near else f"agents are {', '.join(names)}; most read those of `agents`",
    )
