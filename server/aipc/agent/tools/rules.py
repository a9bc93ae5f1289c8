"""Which of our rewrite rules nearly apply to what is left, and why they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aipc.pipeline.artifacts import RewrittenGraph
from aipc.rewrites.choices import choices_for, choices_in

from ._tool import AgentTool, Context, shortened, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    lines = []
    run = context.checked.run
    rewritten = run.artifacts.get(RewrittenGraph) if run is not None else None
    if rewritten is not None:
        for item in rewritten.result.refused:
            lines.append(f"{item.node}: rule {item.rule} does not apply: {item.why}")
        for proof in rewritten.result.proofs:
            if proof.failed:
                lines.append(
                    f"rule {', '.join(proof.rules)} was tried and not proved: {proof.failed.name} {proof.failed.words}"
                )
    target = context.target
    if target is not None:
        report = context.checked.placement
        types = {node.op_type for node in report.nodes if node.node in target.nodes} if report else set()
        choices = [choice for name in types for choice in choices_for(name, target.rule)]
        choices += list(choices_in(f"{target.message} {target.compiler}"))
        lines += [f"no exact rewrite is known: {item.reason}; choices: {'; '.join(item.options)}" for item in choices]
    return shortened("\n".join(dict.fromkeys(lines)) or "no rule starts from what is left")


TOOL = AgentTool(
    tool("rules", "Which rewrite rules nearly apply to the finding and why they do not; known choices.", {}), _run
)
