"""Where processes that run the author's code import from."""

from __future__ import annotations

import os
import sys


def authors_path() -> list[str]:
    """Our import path, with the author's libraries before ours.

    An editor's server brings libraries of its own (``AIPC_LIBRARIES``) and has them first; in a job the author's
    versions are the right ones.
    """
    own = os.environ.get("AIPC_LIBRARIES")
    if not own:
        return list(sys.path)
    return [*(path for path in sys.path if path != own), own]
