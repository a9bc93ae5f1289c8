"""``aipc cache``."""

from __future__ import annotations

from typing import Annotated

import typer

from ._console import show, write_json
from ._options import Debug, Json


def command(
    action: Annotated[
        str, typer.Argument(metavar="[ACTION]", help="show, verify, limit or clear.", show_default=False)
    ] = "show",
    size: Annotated[
        str | None, typer.Argument(metavar="[SIZE]", help="With limit: such as 10GB or 500MB.", show_default=False)
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """Show the cache, hash every file in it (verify), say how large it may become (limit), or empty it (clear).

    Entries that another process uses stay. The exit status is 1 when verify found damaged entries; they are removed.
    """
    from aipc import engine

    report = engine.cache(action, size)
    if as_json:
        write_json(report)
    else:
        show(*_lines(report))
    return 1 if report.damaged else 0


def _lines(report: object) -> list[str]:
    from aipc import engine

    assert isinstance(report, engine.CacheReport)
    lines = [f"removed a damaged entry: {text}" for text in report.damaged]
    if report.action == "verify":
        lines.append(f"{report.verified} entries hashed, {len(report.damaged)} damaged")
    if report.freed_bytes:
        lines.append(f"{_megabytes(report.freed_bytes)} freed")
    used = f"{report.entries} entries, {_megabytes(report.bytes)} of at most {_megabytes(report.limit_bytes)}"
    return [*lines, f"{report.directory}: {used}"]


def _megabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
