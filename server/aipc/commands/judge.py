"""``aipc judge``."""

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
    edits: Annotated[
        Path,
        typer.Option("--edits", metavar="FILE", help="A unified diff (also of a change already made), or JSON."),
    ],
    goal: Annotated[
        str,
        typer.Option("--goal", help="A finding that has to go: its code, with :LINE; deploy: none has to."),
    ] = "deploy",
    soc: SoC = None,
    precision: Precision = None,
    calibration: Calibration = None,
    approximate: Annotated[
        float | None,
        typer.Option("--approximate", metavar="DB", help="The change may lower the SQNR in fp32 to this many dB."),
    ] = None,
    agree: Agree = None,
    readable: Annotated[
        list[Path] | None,
        typer.Option("--readable", metavar="PATH", help="What the model's code may read outside the project."),
    ] = None,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Judge an edit of the model's source: equal outputs, findings, compiler and simulator, as the agent's are judged.

    No file is changed. The exit status is 1 when a gate is not passed.
    """
    from aipc import engine
    from aipc.agent.results import goal_of

    from ._agent import agreements, ask_user, judge_page

    request = engine.JudgeRequest(
        model,
        edits,
        goal_of(goal),
        soc,
        precision,
        from_here(calibration),
        approximate_db=approximate,
        agree=agreements(agree),
        readable=tuple(str(path.resolve()) for path in readable or ()),
    )
    ask = ask_user if sys.stdin.isatty() and not as_json else None
    with working(time_limit, memory_limit) as work:
        report = engine.judge(request, work.pool, work.on_event, work.cancel, ask=ask)
    if as_json:
        write_json(report)
    else:
        show(*judge_page(report))
    return 0 if report.ok else 1
