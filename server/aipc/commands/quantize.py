"""``aipc quantize``."""

from __future__ import annotations

from aipc.core.requests import QuantizeRequest

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, working


@takes(QuantizeRequest)
def command(
    request: QuantizeRequest,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Quantize the model with calibration data and write the graph, its encodings and where they come from.

    The exit status is 1 when a gate was not passed.
    """
    from aipc import engine

    with working(time_limit, memory_limit) as work:
        report = engine.quantize(request, work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        from ._quantized import quantize_page

        show(*quantize_page(report))
    return 0 if report.ok else 1
