"""``runs``."""

from __future__ import annotations

from aipc import engine

from ..tool import Tool

TOOL = Tool(
    name="runs",
    title="List deployments",
    description="The deployments of this workspace, the newest first: state, stages, gates, package, and what stopped "
    "those that did not end well.",
    run=lambda call: {"runs": engine.runs(call.workspace.root)},
)
