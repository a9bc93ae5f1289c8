"""``fix``."""

from __future__ import annotations

from typing import Any

from aipc.fix import FixRequest, fix

from ..tool import Call, Tool
from ._arguments import MODEL, NO_CACHE, PRECISION, SOC


def _run(call: Call) -> Any:
    request = FixRequest(
        call.model,
        call.get("soc"),
        call.get("precision"),
        apply=call.get("apply", False),
        cwd=call.workspace.root,
        use_cache=not call.get("no_cache", False),
    )
    return fix(request, call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="fix",
    title="Fix a model's source with proved edits",
    description="Edits of the model's source that make the NPU run it, each proved on this very model: equal outputs, "
    "compiles, right in the simulator. Shows diffs; apply writes them. What it cannot fix is in left.",
    run=_run,
    properties={
        "model": MODEL,
        "soc": SOC,
        "precision": PRECISION,
        "apply": {"type": "boolean", "description": "Write the changes to the source files."},
        "no_cache": NO_CACHE,
    },
    required=("model",),
    long=True,
    writes=True,
)
