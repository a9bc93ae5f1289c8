"""``aipc deploy``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aipc.core.requests import DeployRequest

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, with_consent, working


@takes(DeployRequest)
def command(
    request: DeployRequest,
    agent: Annotated[
        bool,
        typer.Option(
            "--agent", help="Where a gate is not passed, let the agent propose edits; deploy again with them."
        ),
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="With --agent: write its edits without asking. A backup is kept.")
    ] = False,
    sample: Annotated[
        str | None,
        typer.Option(
            "--sample",
            metavar="LANGUAGE",
            help="Also write a minimal program that runs the package: cpp, csharp or python.",
        ),
    ] = None,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Capture, compile, package, run and verify the model against PyTorch, with a gate after each stage.

    The exit status is 1 when a gate was not passed.
    """
    from aipc import engine

    if sample is not None:
        engine.language_of(sample)
    if engine.configured_application(request.model):
        from ._applications import deploy_application

        if sample is not None:
            raise typer.BadParameter("--sample is for models: the package of an application has its own host program")
        app = engine.ApplicationRequest(
            application=request.model,
            soc=request.soc,
            precision=request.precision,
            target=request.target,
            out=request.out,
            use_cache=request.use_cache,
        )
        with working(time_limit, memory_limit) as work:
            return deploy_application(app, as_json=as_json, work=work)

    def deploy(agreed: bool) -> engine.DeployReport:
        with working(time_limit, memory_limit) as work:
            return engine.deploy(replace(request, setup=agreed), work.pool, work.on_event, work.cancel)

    if apply and not agent:
        raise typer.BadParameter("--apply goes with --agent")
    if agent:
        from ._agent import ask_user

        with working(time_limit, memory_limit) as work:
            report, helped = engine.deploy_with_agent(
                request,
                work.pool,
                work.on_event,
                work.cancel,
                ask=ask_user if sys.stdin.isatty() and not as_json else None,
                apply=apply,
            )
        if helped and not as_json:
            from ._agent import agent_page

            show(*agent_page(helped))
    else:
        report = with_consent(deploy, request.setup, ask=not as_json)
    if as_json:
        write_json(report)
    else:
        from ._tables import deploy_page

        show(*deploy_page(report))
    if sample is not None and report.package:
        from ._format import short_path

        for package in report.packages.values() or [report.package]:
            written = engine.write_sample(Path(package), sample)
            typer.echo(f"sample: {short_path(str(written))}", err=as_json)
    return 0 if report.ok else 1
