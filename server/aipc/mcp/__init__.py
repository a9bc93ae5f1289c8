"""The MCP server: what the command line does, as tools for agents.

``tools/`` has one file a tool; each calls the engine and gives the document that the command line's ``--json`` prints.
The SDK is imported only when the server starts, because it is an optional part: ``pip install 'aipc[mcp]'``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from aipc.core.errors import MissingDependencyError


def serve(root: Path, allowed_targets: Sequence[str] = ()) -> None:
    """Serve over stdin and stdout until the client ends the session.

    Args:
        root: the workspace; a tool takes no path outside of it.
        allowed_targets: devices that the user's own configuration lets packages be pushed to without asking.

    Raises:
        MissingDependencyError: the MCP SDK is not installed.
        InputError: ``root`` is not a directory.
    """
    if importlib.util.find_spec("mcp") is None or importlib.util.find_spec("mcp_types") is None:
        raise MissingDependencyError(
            "the MCP server needs the library mcp, version 2 or newer, which is not installed",
            remedy="run pip install 'aipc[mcp]' (or pip install 'mcp>=2')",
        )
    from .server import run

    run(root, allowed_targets)
