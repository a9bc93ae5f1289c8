"""``aipc run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, Package, Setup, Target, TimeLimit
from ._work import TIME_LIMIT, with_consent, working


def command(
    package: Package,
    inputs: Annotated[
        Path | None,
        typer.Option("--input", "-i", metavar="NPZ", help="Arrays by input name. Default: the golden ones."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="NPZ", help="Where the outputs go. Default: outputs.npz."),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", metavar="TEXT", help="What a language model's package answers; may repeat."),
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option("--audio", metavar="WAV", help="What a speech package listens to; may repeat."),
    ] = None,
    target: Target = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="Timed runs, where a device measures latency.")] = 10,
    setup: Setup = False,
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

    if application := engine.application_package(package):
        from ._applications import run_application

        asked = [item for text in prompt or () for item in ("--prompt", text)]
        asked += ["--audio", *(str(path.resolve()) for path in audio)] if audio else []
        return run_application(
            application,
            asked,
            target or "simulator",
            as_json=as_json,
            time_limit=time_limit,
            memory_limit=memory_limit,
        )
    if prompt or audio:
        raise typer.BadParameter(f"{package} is no application's package: it takes --input")

    def run(agreed: bool) -> engine.RunReport:
        options = engine.run_options(package, target or "simulator", setup=agreed, repeat=repeat)
        with working(time_limit, memory_limit, models=False) as work:
            return engine.run_package(
                package, inputs, output, target or "simulator", work.pool, work.on_event, work.cancel, options
            )

    report = with_consent(run, setup, ask=not as_json)
    if as_json:
        write_json(report)
    else:
        from ._tables import run_page

        show(*run_page(report))
    return 0
