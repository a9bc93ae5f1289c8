"""Compare the numbers of edits with the original's, on every set of inputs, without proposing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._tool import EDITS, AgentTool, Context, WrongCall, edits_of, patched, shortened, tool


def _run(context: Context, arguments: Mapping[str, Any]) -> str:
    if context.bench.unreferenced:
        raise WrongCall(f"there is nothing to compare with: {context.bench.unreferenced}")
    scratch = patched(context, edits_of(arguments["edits"]))
    checked = context.bench.check(scratch)
    if not checked.captured:
        return f"it is not captured: {checked.reason}"
    comparisons, forwarded, tried = context.bench.hold(checked, scratch)
    lines = [f"the code tried what the sandbox forbids: {', '.join(tried)}"] if tried else []
    lines += [f"raised on inputs {forwarded.raised}"] if forwarded.raised else []
    for one in comparisons:
        figures = "; ".join(f"{x.name} SQNR {x.sqnr_db:.1f} dB, max error {x.max_abs:.3g}" for x in one.outputs)
        lines.append(f"{one.side} on {one.set} inputs: {one.reason or figures}")
    return shortened("\n".join(lines))


TOOL = AgentTool(
    tool(
        "compare",
        "Measure how far the outputs of edits are from the original's, for each set of inputs, without proposing them.",
        {"edits": EDITS},
        ("edits",),
    ),
    _run,
)
