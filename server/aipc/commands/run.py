"""``aipc run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aipc.core.requests import RunRequest

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, with_consent, working


@takes(RunRequest)
def command(
    request: RunRequest,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", metavar="TEXT", help="What a language model's package answers; may repeat."),
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option("--audio", metavar="WAV", help="What a speech package listens to; may repeat."),
    ] = None,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Run a package on its target and write its outputs; an application answers.

    PACKAGE is a directory that `aipc deploy` wrote, or an application's name.

    Needs onnxruntime, onnxruntime-qnn and numpy, not PyTorch.
    """
    from aipc import engine

    package, target = request.package, request.target or "simulator"
    if application := engine.application_package(package):
        from ._applications import run_application

        arguments = [item for text in prompt or () for item in ("--prompt", text)]
        arguments += ["--audio", *(str(path.resolve()) for path in audio)] if audio else []
        return run_application(
            application,
            arguments,
            target,
            as_json=as_json,
            time_limit=time_limit,
            memory_limit=memory_limit,
        )
    if prompt or audio:
        raise typer.BadParameter(f"{package} is no application's package: it takes --input")

    def run(agreed: bool) -> engine.RunReport:
        options = engine.run_options(package, target, setup=agreed, repeat=request.repeat)
        with working(time_limit, memory_limit, models=False) as work:
            return engine.run_package(
                package, request.input, request.output, target, work.pool, work.on_event, work.cancel, options
            )

    report = with_consent(run, request.setup, ask=not as_json)
    if as_json:
        write_json(report)
    else:
        from ._tables import run_page

        show(*run_page(report))
    return 0
