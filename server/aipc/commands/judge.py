"""``aipc judge``."""

from __future__ import annotations

import sys

from aipc.agent.request import JudgeRequest

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, working


@takes(JudgeRequest)
def command(
    request: JudgeRequest,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Judge an edit of the model's source: equal outputs, findings, compiler and simulator, as the agent's are judged.

    No file is changed. The exit status is 1 when a gate is not passed.
    """
    from aipc import engine

    from ._agent import ask_user, judge_page

    ask = ask_user if sys.stdin.isatty() and not as_json else None
    with working(time_limit, memory_limit) as work:
        report = engine.judge(request, work.pool, work.on_event, work.cancel, ask=ask)
    if as_json:
        write_json(report)
    else:
        show(*judge_page(report))
    return 0 if report.ok else 1
