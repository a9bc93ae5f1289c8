"""``aipc evaluate``."""

from __future__ import annotations

from typing import Annotated

import typer

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, NoCache, Package, Target, TimeLimit, from_here
from ._work import TIME_LIMIT, working


def command(
    package: Package,
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="DATA",
            help="A folder with a subfolder of pictures for each class, an .npz with an array target, or file.py:name "
            "of (input, target). Of an application: a folder of .wav files with a .txt beside each, or file.py:name.",
            show_default=False,
        ),
    ],
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="top-1, top-5, psnr, ssim, miou, map, wer, perplexity, or file.py:name of (outputs, target). "
            "Default: top-1 of a model, wer of an application.",
        ),
    ] = None,
    decode: Annotated[
        str | None,
        typer.Option("--decode", metavar="FILE:NAME", help="Function of the outputs whose result the metric takes."),
    ] = None,
    preprocess: Annotated[
        str | None,
        typer.Option("--preprocess", help="unit, symmetric, imagenet or file.py:name. Default: the configuration's."),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, metavar="N", help="Samples, drawn by --seed.")] = 64,
    seed: Annotated[int, typer.Option("--seed", help="Which samples are drawn.")] = 0,
    most_loss: Annotated[
        float | None,
        typer.Option("--most-loss", min=0.0, help="Exit status 1 when the package loses more against PyTorch."),
    ] = None,
    worst: Annotated[int, typer.Option("--worst", min=0, help="Worst samples on the report page.")] = 12,
    target: Target = None,
    as_json: Json = False,
    no_cache: NoCache = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Measure a task metric of a package on labelled data, with PyTorch on the same samples beside it.

    A command that was ended goes on where it was.
    """
    from aipc import engine

    request = engine.EvaluationRequest(
        package=engine.application_package(package) or package,
        data=from_here(data) or data,
        metric=from_here(metric),
        decode=from_here(decode),
        preprocess=from_here(preprocess),
        count=count,
        seed=seed,
        target=target or "simulator",
        most_loss=most_loss,
        worst=worst,
        use_cache=not no_cache,
    )
    with working(time_limit, memory_limit) as work:
        report = engine.evaluate(request, work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        from ._evaluation import evaluation_page

        show(*evaluation_page(report))
    return 0 if report.ok else 1
