"""``aipc agent``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from aipc.agent.request import AgentRequest

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, working


@takes(AgentRequest)
def command(
    request: AgentRequest,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change, and change nothing (default).")] = False,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Let a language model edit the source inside hard bounds; what compiler, simulator and numbers confirm is kept.

    The model is named by AIPC_AGENT_MODEL, AIPC_AGENT_BASE_URL and AIPC_AGENT_API_KEY. The exit status is 1 when the
    goal was not reached.
    """
    if diff and request.apply:
        raise typer.BadParameter("--diff and --apply exclude each other")
    from aipc import engine
    from aipc.agent.verdicts import Stopped
    from aipc.core.errors import CancelledError

    from ._agent import agent_page, ask_user

    ask = ask_user if sys.stdin.isatty() and not as_json else None
    with working(time_limit, memory_limit) as work:
        report = engine.agent(request, work.pool, work.on_event, work.cancel, ask=ask)
    if report.stopped is Stopped.CANCELLED:
        raise CancelledError("cancelled", remedy=f"go on with --resume {report.trace}")
    if as_json:
        write_json(report)
    else:
        show(*agent_page(report))
    return 0 if report.ok else 1
