"""``aipc check``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aipc.core.model_options import MODEL
from aipc.core.requests import CheckRequest
from aipc.core.types import Severity
from aipc.report.formats import format_names

from ._console import show, write, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, CommandWork, working

_FORMATS = ("text", "json", *format_names())


@takes(CheckRequest, without=("model",))
def command(
    request: CheckRequest,
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL...", help=MODEL.text, show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every model configured in pyproject.toml.")] = False,
    infer: Annotated[
        bool, typer.Option("--infer", help="Only show the example inputs that AIPC finds for the model.")
    ] = False,
    write_inputs: Annotated[bool, typer.Option("--write", help="With --infer: write them to pyproject.toml.")] = False,
    form: Annotated[
        str,
        typer.Option("--format", help=f"What to print: {', '.join(_FORMATS)}.", show_default=True),
    ] = "text",
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Findings that were there before: only new ones fail."),
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write the present findings to the file of --baseline.")
    ] = False,
    fail_on: Annotated[
        Severity, typer.Option("--fail-on", help="The least severity that makes the exit status 1.")
    ] = Severity.WARNING,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Ask QAIRT where each operator runs, and show what does not run on the NPU on its expression.

    The exit status is 1 when there are errors or warnings; with --baseline, when there are new ones.
    """
    form = "json" if as_json else form
    if form not in _FORMATS:
        raise typer.BadParameter(f"there is no format {form!r}; use one of {', '.join(_FORMATS)}")
    if write_inputs and not infer:
        raise typer.BadParameter("--write goes with --infer")
    if write_baseline and baseline is None:
        raise typer.BadParameter("--write-baseline goes with --baseline FILE")
    from aipc import engine

    names = engine.models_to_check(models or (), every=every, cwd=Path.cwd())
    if infer:
        if len(names) != 1:
            raise typer.BadParameter("--infer takes one model")
        with working(time_limit, memory_limit) as work:
            return _infer(names[0], write_inputs, form == "json", work)
    if len(names) == 1 and engine.configured_application(names[0]):
        from ._applications import check_application

        if form not in ("text", "json"):
            raise typer.BadParameter(f"{names[0]} is an application, which is checked as text or json")
        app = engine.ApplicationRequest(
            application=names[0], soc=request.soc, precision=request.precision, use_cache=request.use_cache
        )
        with working(time_limit, memory_limit) as work:
            return check_application(app, full=request.full, as_json=form == "json", work=work)
    requests = [replace(request, model=name) for name in names]
    with working(time_limit, memory_limit) as work:
        reports, errors = engine.check_all(requests, work.pool, work.on_event, work.cancel)
    if write_baseline and baseline is not None:
        from aipc.report.baseline import known_findings
        from aipc.report.baseline import write_baseline as save

        save(baseline, known_findings(reports, engine.repository_root(Path.cwd())))
    document = engine.judged(reports, errors, baseline=baseline, fail_on=fail_on)
    if form == "text":
        from ._tables import check_all_page

        show(*check_all_page(document))
    elif form == "json":
        write_json(reports[0] if len(names) == 1 else engine.CheckAllReport(document.ok, reports, errors))
    else:
        from aipc.report import formats

        write(formats.write(form, document))
    return 0 if document.ok else 1


def _infer(model: str, write: bool, as_json: bool, work: CommandWork) -> int:
    from aipc import engine

    inferred = engine.infer(model, write=write, pool=work.pool, on_event=work.on_event, cancel=work.cancel)
    if as_json:
        write_json({"model": model, "inputs": inferred.shapes, "provenance": inferred.provenance, "written": write})
        return 0
    show(f"{model}: {inferred.provenance}", *(f"  {name} = {shape}" for name, shape in inferred.shapes.items()))
    show("written to pyproject.toml" if write else "add --write to keep them in pyproject.toml")
    return 0
