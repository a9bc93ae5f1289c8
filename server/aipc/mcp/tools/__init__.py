"""One file a tool, found by walking this folder. Files that begin with ``_`` are helpers."""

from __future__ import annotations

import importlib
import pkgutil

from ..tool import Tool


def all_tools() -> dict[str, Tool]:
    """Every tool by its name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_")
    tools = [importlib.import_module(f"{__name__}.{name}").TOOL for name in names]
    return {tool.name: tool for tool in tools}
