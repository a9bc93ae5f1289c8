"""Options of the command line alone, which are no part of a request (see ``core/requests.py``)."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the full logs of what fails.")]
TimeLimit = Annotated[
    float,
    typer.Option("--time-limit", "--timeout", min=0.1, metavar="SECONDS", help="Stop a step that takes longer."),
]
MemoryLimit = Annotated[
    int,
    typer.Option(
        "--memory-limit",
        min=0,
        metavar="MIB",
        help="Stop a step that uses more memory; 0: 85 % of the machine.",
    ),
]
