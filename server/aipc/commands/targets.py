"""``aipc targets``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._console import show, write_json
from ._options import Debug, Json
from ._work import working


def command(
    target: Annotated[
        str | None,
        typer.Argument(metavar="TARGET", help="Connect to this one and say what it is.", show_default=False),
    ] = None,
    package: Annotated[
        Path | None,
        typer.Option("--package", metavar="DIR", help="Also say whether this package fits TARGET."),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """List where packages can run, and the SoCs that QAIRT compiles for; or say what one device is.

    The exit status is 1 when TARGET cannot be reached or the package does not fit it.
    """
    from aipc import engine
    from aipc.qairt.soc import all_socs

    if target is not None:
        with working(120.0, models=False) as work:
            examined = engine.examine_target(target, package, work.pool, work.on_event, work.cancel)
        if as_json:
            write_json(examined)
        else:
            from ._device_tables import examined_page

            show(*examined_page(examined))
        return 0 if examined.ok else 1
    if as_json:
        write_json(engine.targets_document())
    else:
        from ._tables import targets_page

        show(*targets_page(engine.targets(), all_socs()))
    return 0
