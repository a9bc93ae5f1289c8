"""``aipc placement``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aipc.core.requests import CheckRequest
from aipc.core.wording import counted

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, working

if TYPE_CHECKING:
    from aipc.engine import PlacementAnswer


@takes(CheckRequest, without=("quick", "numerics"))
def command(
    request: CheckRequest,
    every: Annotated[bool, typer.Option("--all", help="Also the nodes that run on the NPU.")] = False,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """List the nodes that do not run on the NPU, each with QAIRT's reason and the expression that made it.

    The exit status is 1 when there are any.
    """
    from aipc import engine

    with working(time_limit, memory_limit) as work:
        answer = engine.placement(request, every, work.pool, work.on_event, work.cancel)
    write_json(answer) if as_json else show(*_page(answer))
    return 1 if answer.placement.get("cpu", 0) + answer.placement.get("fails", 0) else 0


def _page(answer: PlacementAnswer) -> Iterator[Any]:
    from rich.text import Text

    from ._format import table_of
    from ._tables import place

    share = f"{answer.placement.get('npu', 0)} of {counted(answer.nodes, 'node')} on the NPU"
    yield Text(f"{answer.model} on {answer.soc.upper()}, {answer.precision}: {share}", "bold")
    if not answer.placed:
        return
    table = table_of("node", "operator", "runs on", "expression", "QAIRT")
    for item in answer.placed:
        where = "\n".join(place(item_range) for item_range in item.ranges)
        table.add_row(item.node, item.op_type, item.placement.value, where, item.reason or "")
    yield table
