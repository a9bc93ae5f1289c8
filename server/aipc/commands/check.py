"""``aipc check``."""

from __future__ import annotations

from typing import Annotated

import typer

from aipc.core.types import Severity

from ._console import show, write_json
from ._options import Calibration, Debug, Json, MemoryLimit, Model, NoCache, Precision, SoC, TimeLimit, from_here
from ._work import TIME_LIMIT, Work, working


def command(
    model: Model,
    soc: SoC = None,
    precision: Precision = None,
    infer: Annotated[
        bool, typer.Option("--infer", help="Only show the example inputs that AIPC finds for the model.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="With --infer: write them to pyproject.toml.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Validate only; do not compile to the end, which finds more.")
    ] = False,
    numerics: Annotated[
        bool, typer.Option("--numerics", help="Also judge each operator's numbers on the simulator.")
    ] = False,
    calibration: Calibration = None,
    as_json: Json = False,
    no_cache: NoCache = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Ask QAIRT where each operator runs, and show what does not run on the NPU on its expression.

    The exit status is 1 when there are errors or warnings.
    """
    if write and not infer:
        raise typer.BadParameter("--write goes with --infer")
    if infer:
        with working(time_limit, memory_limit) as work:
            return _infer(model, write, as_json, work)
    from aipc import engine

    if engine.configured_application(model):
        from ._applications import check_application

        app = engine.ApplicationRequest(application=model, soc=soc, precision=precision, use_cache=not no_cache)
        with working(time_limit, memory_limit) as work:
            return check_application(app, full=not quick, as_json=as_json, work=work)
    request = engine.CheckRequest(
        model,
        soc,
        precision,
        full=not quick,
        numerics=numerics,
        use_cache=not no_cache,
        calibration=from_here(calibration),
    )
    with working(time_limit, memory_limit) as work:
        report = engine.check(request, work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        from ._tables import check_page

        show(*check_page(report))
    return 1 if any(finding.severity is not Severity.INFORMATION for finding in report.findings) else 0


def _infer(model: str, write: bool, as_json: bool, work: Work) -> int:
    from aipc import engine

    found = engine.infer(model, write=write, pool=work.pool, on_event=work.on_event, cancel=work.cancel)
    if as_json:
        write_json({"model": model, "inputs": found.shapes, "provenance": found.provenance, "written": write})
        return 0
    show(f"{model}: {found.provenance}", *(f"  {name} = {shape}" for name, shape in found.shapes.items()))
    show("written to pyproject.toml" if write else "add --write to keep them in pyproject.toml")
    return 0
