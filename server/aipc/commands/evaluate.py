"""``aipc evaluate``."""

from __future__ import annotations

from dataclasses import replace

from aipc.core.requests import EvaluationRequest

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, working


@takes(EvaluationRequest)
def command(
    request: EvaluationRequest,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Measure a task metric of a package on labelled data, with PyTorch on the same samples beside it.

    A command that was ended goes on where it was.
    """
    from aipc import engine

    request = replace(request, package=engine.application_package(request.package) or request.package)
    with working(time_limit, memory_limit) as work:
        report = engine.evaluate(request, work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        from ._evaluation import evaluation_page

        show(*evaluation_page(report))
    return 0 if report.ok else 1
