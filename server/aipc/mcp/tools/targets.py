"""``targets``."""

from __future__ import annotations

from aipc import engine

from ..tool import Tool

TOOL = Tool(
    name="targets",
    title="List targets and chips",
    description="Where packages can run now (the simulator, connected devices; with the reason where one is not "
    "available), and the Snapdragon chips that can be compiled for.",
    run=lambda call: engine.targets_document(call.workspace.root),
)
