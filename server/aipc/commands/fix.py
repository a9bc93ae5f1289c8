"""``aipc fix``."""

from __future__ import annotations

from typing import Annotated

import typer

from aipc.core.requests import FixRequest
from aipc.core.types import Severity

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, working


@takes(FixRequest)
def command(
    request: FixRequest,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change, and change nothing (default).")] = False,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Edit the model's source so that the NPU runs it, with those edits only that are proved on this model.

    The exit status is 1 when errors or warnings are left.
    """
    if diff and request.apply:
        raise typer.BadParameter("--diff and --apply exclude each other")
    from aipc.fix import fix

    with working(time_limit, memory_limit) as work:
        report = fix(request, work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        from ._fixes import fix_page

        show(*fix_page(report))
    return 1 if any(finding.severity is not Severity.INFORMATION for finding in report.left) else 0
