"""``aipc verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aipc.core.model_options import PACKAGE
from aipc.core.requests import VerifyRequest

from ._console import show, write_json
from ._options import Debug, Json, MemoryLimit, TimeLimit
from ._request import takes
from ._work import TIME_LIMIT, with_consent, working


@takes(VerifyRequest, without=("package",))
def command(
    request: VerifyRequest,
    package: Annotated[
        Path | None,
        typer.Argument(metavar="PACKAGE", help=PACKAGE.text, show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every package of the project.")] = False,
    recorded: Annotated[
        Path | None,
        typer.Option(
            "--recorded", metavar="DIR", help="Replay the inputs that the package's run.py --record kept on a device."
        ),
    ] = None,
    as_json: Json = False,
    time_limit: TimeLimit = TIME_LIMIT,
    memory_limit: MemoryLimit = 0,
    debug: Debug = False,
) -> int:
    """Run a package on its golden inputs again, compare with PyTorch's outputs, and say what changed since.

    The exit status is 1 when they differ by more than the gate allows, or when a package of --all could not be run.
    """
    from aipc import engine

    if package is not None:
        package = engine.application_package(package) or package
    if recorded is not None:
        if package is None:
            raise typer.BadParameter("--recorded needs the package that was recorded")
        with working(time_limit, memory_limit) as work:
            report = engine.verify_recorded(package, recorded, request.target, work.pool, work.on_event, work.cancel)
        if as_json:
            write_json(report)
        else:
            from ._recorded import recorded_page

            show(*recorded_page(report))
        return 0 if report.ok else 1
    packages = engine.packages_to_verify(package, every=every, cwd=Path.cwd())

    def verify(agreed: bool) -> engine.VerifyAllReport:
        with working(time_limit, memory_limit, models=False) as work:
            return engine.verify_all(
                packages, request.target, work.pool, work.on_event, work.cancel, setup=agreed, every=every
            )

    reports = with_consent(verify, request.setup, ask=not as_json)
    if as_json:
        write_json(reports if every else reports.reports[0])
    else:
        from ._tables import verify_all_page, verify_page

        show(*(verify_all_page(reports) if every else verify_page(reports.reports[0])))
    return 0 if reports.ok else 1
