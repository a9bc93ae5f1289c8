"""``aipc sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._work import TIME_LIMIT, working


def command(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL...",
            help="Configured models, or patterns of their names. Default: those of [tool.aipc.sweep]; "
            "with --resume all that are not done.",
            show_default=False,
        ),
    ] = None,
    soc: Annotated[
        str | None, typer.Option("--soc", help="Chips, separated by commas, instead of the configuration's.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option("--precision", help="Precisions, separated by commas, instead of the configuration's."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "--output", "-o", metavar="DIR", help="The sweep's directory. Default: a new one in .aipc/sweeps."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the sweep in --out, or with the newest, where it was ended.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="With --resume: do the cells again that were not verified.")
    ] = False,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="SWEEP", help="An earlier sweep: only what got worse since then fails."),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=0, metavar="N", help="Run on a Dask cluster of N workers on this machine.")
    ] = 0,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Run on the Dask cluster with this scheduler."),
    ] = None,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Deploy every model for every chip in every precision of the table [tool.aipc.sweep].

    The exit status is 1 when a cell was not verified; with --compare, when a cell got worse.
    """
    if retry and not resume:
        raise typer.BadParameter("--retry goes with --resume")
    if workers and scheduler:
        raise typer.BadParameter("give --workers or --scheduler")
    if resume and (soc or precision):
        raise typer.BadParameter("--resume goes on with the chips and precisions that the sweep was begun with")
    from aipc import engine

    earlier = engine.read_sweep(compare) if compare else None
    request = engine.SweepRequest(
        models=tuple(models or ()),
        socs=_names(soc),
        precisions=_names(precision),
        directory=out,
        resume=resume,
        retry=retry,
        workers=workers,
        scheduler=scheduler,
    )
    with working(time_limit, memory_limit) as work:
        report = engine.run_sweep(request, work.pool, work.on_event, work.cancel)
    comparison = engine.compare_sweeps(earlier, report) if earlier else None
    if as_json:
        write_json({"sweep": report, "comparison": comparison} if comparison else report)
    else:
        from ._sweep import sweep_page

        show(*sweep_page(report, comparison))
    return 0 if (comparison.ok if comparison else report.ok) else 1


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
