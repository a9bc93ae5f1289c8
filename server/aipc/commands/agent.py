"""``aipc agent``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ._console import show, write_json
from ._options import Agree, Calibration, Debug, Json, MemoryLimit, Model, Precision, SoC, TimeLimit, from_here
from ._work import TIME_LIMIT, working


def command(
    model: Model,
    goal: Annotated[
        str,
        typer.Option(
            "--goal",
            help="deploy: all that stands in the way; export: until it is captured; inputs: its example inputs; or the "
            "code of a finding, with :LINE where there are several.",
        ),
    ] = "deploy",
    soc: SoC = None,
    precision: Precision = None,
    calibration: Calibration = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change, and change nothing (default).")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Write the changes that passed every gate.")] = False,
    tokens: Annotated[
        int, typer.Option("--tokens", min=1, help="Cap on prompt and completion tokens together.")
    ] = 200_000,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Cap on the time of the whole run.")] = 1800.0,
    cost: Annotated[float | None, typer.Option("--cost", help="Cap on the cost; needs the prices of tokens.")] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Most replies for one finding.")] = 30,
    approximate: Annotated[
        float | None,
        typer.Option("--approximate", metavar="DB", help="Also take changes that keep so many dB SQNR in fp32."),
    ] = None,
    agree: Agree = None,
    readable: Annotated[
        list[Path] | None,
        typer.Option("--readable", metavar="PATH", help="What the model's code may read outside the project."),
    ] = None,
    replay: Annotated[
        Path | None, typer.Option("--replay", metavar="TRACE", help="Use the replies of a trace; ask no model.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="TRACE", help="Go on with a run that was interrupted.")
    ] = None,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Let a language model edit the source inside hard bounds; what compiler, simulator and numbers confirm is kept.

    The model is named by AIPC_AGENT_MODEL, AIPC_AGENT_BASE_URL and AIPC_AGENT_API_KEY. The exit status is 1 when the
    goal was not reached.
    """
    if diff and apply:
        raise typer.BadParameter("--diff and --apply exclude each other")
    from aipc import engine
    from aipc.agent.results import Budget, Stopped, goal_of
    from aipc.core.errors import CancelledError

    from ._agent import agent_page, agreements, ask_user

    request = engine.AgentRequest(
        model,
        goal_of(goal),
        soc,
        Budget(tokens=tokens, seconds=seconds, cost=cost, rounds=rounds),
        apply=apply,
        approximate_db=approximate,
        replay=replay,
        resume=resume,
        readable=tuple(str(path.resolve()) for path in readable or ()),
        precision=precision,
        calibration=from_here(calibration),
        agree=agreements(agree),
    )

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
