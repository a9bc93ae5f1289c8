"""``explain_finding``."""

from __future__ import annotations

from typing import Any

from aipc import engine

from ..tool import Call, Tool


def _run(call: Call) -> Any:
    return engine.explain(call.arguments["rule"], call.get("op"), call.pool, call.on_event, call.cancel)


TOOL = Tool(
    name="explain_finding",
    title="Explain a finding",
    description="What the rule code of a finding means, which rewrites AIPC knows against it (with PyTorch before and "
    "after), and what can be chosen where no rewrite is exact. Answers like `aipc explain`.",
    run=_run,
    properties={
        "rule": {"type": "string", "description": "The finding's rule, such as layernorm-axes."},
        "op": {"type": "string", "description": "ONNX operator of the finding's nodes, for rewrites that start there."},
    },
    required=("rule",),
)
