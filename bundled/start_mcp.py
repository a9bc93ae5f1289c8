"""Start the MCP server from the extension: ``start_mcp.py WORKSPACE``, with the interpreter that has the user's PyTorch.

The MCP SDK comes from the user's environment: it is not pure Python.
"""

import sys
from pathlib import Path

import start  # noqa: F401 - puts our own folders on the path

if __name__ == "__main__":
    from aipc.core.errors import AipcError
    from aipc.mcp import serve

    try:
        serve(Path(sys.argv[1]))
    except AipcError as error:
        sys.exit(f"error: {error}")
