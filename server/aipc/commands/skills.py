"""``aipc skills``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ._console import show, write_json
from ._options import Debug, Json


class Action(str, Enum):
    LIST = "list"
    INSTALL = "install"
    WHERE = "where"


def command(
    action: Annotated[
        Action, typer.Argument(help="list shows them, install copies them to an agent, where prints their directories.")
    ] = Action.LIST,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which skills. Default: all.", show_default=False)
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option("--for", metavar="AGENT", help="claude, codex, copilot, cursor, gemini, opencode or agents."),
    ] = None,
    user: Annotated[bool, typer.Option("--user", help="For all projects of this user, not only this one.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that were edited there.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """Agent Skills, which teach other agents to work with AIPC: list them, or install them."""
    from aipc.core.errors import InputError
    from aipc.skills import AGENTS, all_skills, get_agent, install

    skills = {skill.name: skill for skill in all_skills()}
    unknown = [name for name in names or () if name not in skills]
    if unknown:
        raise InputError(f"there is no skill {unknown[0]}", remedy=f"skills are {', '.join(skills)}")
    chosen = tuple(skills[name] for name in names) if names else tuple(skills.values())
    if action is Action.WHERE and not as_json:
        show(*(skill.directory for skill in chosen))
        return 0
    if action is not Action.INSTALL:
        if as_json:
            write_json({"skills": chosen, "agents": AGENTS})
        else:
            from rich.text import Text

            for skill in chosen:
                show(Text(skill.name, "bold"), f"  {skill.description}")
        return 0
    if not agent:
        names_of = ", ".join(item.name for item in AGENTS)
        raise InputError("no agent was named to install for", remedy=f"add --for AGENT: {names_of}")
    copies = [
        item
        for name in agent
        for item in install(chosen, get_agent(name), "user" if user else "project", Path.cwd(), force=force)
    ]
    if as_json:
        write_json({"installed": copies})
    else:
        show(*(f"{item.state}: {item.directory}" for item in copies))
    return 0
