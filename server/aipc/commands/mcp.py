"""``aipc mcp``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    root: Annotated[
        Path | None,
        typer.Option(
            "--root", metavar="DIR", help="Workspace: no path outside of it is taken. Default: the current one."
        ),
    ] = None,
    allow_target: Annotated[
        list[str] | None,
        typer.Option("--allow-target", metavar="TARGET", help="Device that packages may be pushed to without asking."),
    ] = None,
) -> int:
    """Serve the Model Context Protocol over stdin and stdout; agents start it."""
    from aipc.mcp import serve

    serve(root or Path.cwd(), allow_target or ())
    return 0
