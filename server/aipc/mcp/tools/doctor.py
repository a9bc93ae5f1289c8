"""``doctor``."""

from __future__ import annotations

from aipc.doctor import examine

from ..tool import Tool

TOOL = Tool(
    name="doctor",
    title="What is installed",
    description="Which parts (PyTorch, ONNX, QAIRT) are installed, what is missing, and the command that brings it.",
    run=lambda call: examine(),
)
