"""``python -m aipc.lsp``: the server over stdin and stdout."""

from __future__ import annotations

from .server import serve

if __name__ == "__main__":
    serve()
