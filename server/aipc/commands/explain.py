"""``aipc explain``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._console import show, write_json
from ._options import Debug, Json
from ._work import working

if TYPE_CHECKING:
    from aipc.engine import RuleExplanation


def command(
    rule: Annotated[
        str,
        typer.Argument(metavar="RULE", help="Code of a finding, such as layernorm-axes.", show_default=False),
    ],
    op: Annotated[
        str | None, typer.Option("--op", help="ONNX operator of the finding, for the rewrites that start from it.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """Say what the code of a finding means, and the ways out of it."""
    from aipc import engine

    with working() as work:
        explanation = engine.explain(rule, op, work.pool, work.on_event, work.cancel)
    write_json(explanation) if as_json else show(*_page(explanation))
    return 0


def _page(explanation: RuleExplanation) -> Iterator[Any]:
    from rich.text import Text

    yield Text(explanation.rule, "bold")
    for item in explanation.meanings:
        yield f"  {item.message}"
        if item.remedy:
            yield f"    what can be done: {item.remedy}"
    for rewrite in explanation.rewrites:
        yield Text(f"rewrite {rewrite['code']}: {rewrite['title']} ({rewrite['exactness']})", "green")
    for choice in explanation.choices:
        yield Text(f"no exact rewrite: {choice['reason']}", "yellow")
        yield from (f"  - {option}" for option in choice["options"])
