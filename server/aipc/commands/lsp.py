"""``aipc lsp``."""

from __future__ import annotations


def command() -> int:
    """Serve the language server over stdin and stdout; editors start it."""
    import gc

    # The thousands of classes of the protocol are no garbage.
    gc.disable()
    from aipc.lsp.start import serve

    serve()
    return 0
