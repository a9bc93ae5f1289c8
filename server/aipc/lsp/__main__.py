"""``python -m aipc.lsp``: the server over stdin and stdout."""

from __future__ import annotations

import gc

from aipc.core._paths import leave_working_directory

leave_working_directory()

if __name__ == "__main__":
    # The thousands of classes of the protocol are no garbage.
    gc.disable()
    from .start import serve

    serve()
