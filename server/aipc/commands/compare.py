"""``aipc compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from ._console import show, write, write_json
from ._options import Debug, Json

_RUN = "A run's or a package's directory, its report.json, or a run's name."


def command(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help=_RUN, show_default=False)],
    after: Annotated[str, typer.Argument(metavar="AFTER", help=_RUN, show_default=False)],
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for the comment of a pull request.")
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """Compare two deployments: placement, accuracy, size, planned DDR traffic, latency, findings.

    The exit status is 1 when something got worse.
    """
    from aipc import engine

    comparison = engine.compare(before, after)
    if as_json:
        write_json(comparison)
    elif as_markdown:
        from aipc.report.comparison import markdown

        write(markdown(comparison))
    else:
        from ._comparison import comparison_page

        show(*comparison_page(comparison))
    return 0 if comparison.ok else 1
