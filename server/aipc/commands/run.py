"""``aipc run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, Package, Target, TimeLimit
from ._work import TIME_LIMIT, working


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
    target: Target = None,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Run a package on its target and write its outputs.

    Needs onnxruntime, onnxruntime-qnn and numpy, not PyTorch.
    """
    from aipc import engine

    with working(time_limit, memory_limit) as work:
        report = engine.run_package(
            package, inputs, output, target or "simulator", work.pool, work.on_event, work.cancel
        )
    if as_json:
        write_json(report)
    else:
        from ._tables import run_page

        show(*run_page(report))
    return 0
