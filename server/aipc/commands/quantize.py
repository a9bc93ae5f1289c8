"""``aipc quantize``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._console import show, write_json
from ._options import (
    Calibration,
    CalibrationCount,
    Debug,
    Json,
    MemoryLimit,
    Model,
    NoCache,
    SoC,
    TimeLimit,
    from_here,
)
from ._work import TIME_LIMIT, working


def command(
    model: Model,
    soc: SoC = None,
    precision: Annotated[
        str | None, typer.Option("--precision", help="w8a16, w8a8 or w4a16. Default: the configuration's, else w8a16.")
    ] = None,
    calibration: Calibration = None,
    calibration_count: CalibrationCount = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "--output", "-o", metavar="DIR", help="Where to write the quantized graph."),
    ] = None,
    dlc: Annotated[bool, typer.Option("--dlc", help="Also write QAIRT's own format, model.dlc.")] = False,
    as_json: Json = False,
    no_cache: NoCache = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Quantize the model with calibration data and write the graph, its encodings and where they come from.

    The exit status is 1 when a gate was not passed.
    """
    from aipc import engine

    request = engine.QuantizeRequest(
        model=model,
        soc=soc,
        precision=precision,
        calibration=from_here(calibration),
        calibration_count=calibration_count,
        out=out,
        dlc=dlc,
        use_cache=not no_cache,
    )
    with working(time_limit, memory_limit) as work:
        report = engine.quantize(request, work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        from ._quantized import quantize_page

        show(*quantize_page(report))
    return 0 if report.ok else 1
