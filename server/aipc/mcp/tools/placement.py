"""``placement``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool
from ._arguments import MODEL, NO_CACHE, PRECISION, SOC, check_request


def _run(call: Call) -> Any:
    return engine.placement(check_request(call), call.get("all", False), call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="placement",
    title="Where each node runs",
    description="The nodes of a model that do not run on the NPU, each with the compiler's reason, the expression "
    "that made it and its module; with all, every node.",
    run=_run,
    properties={
        "model": MODEL,
        "soc": SOC,
        "precision": PRECISION,
        "all": {"type": "boolean", "description": "Also the nodes that run on the NPU."},
        "no_cache": NO_CACHE,
    },
    required=("model",),
    long=True,
)
