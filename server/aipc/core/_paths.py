"""Where our processes, and those that run the author's code, import from.

Imports nothing but what Python's start has imported: a file of the working directory must not get in before it is left.
"""

# pathlib is among what such a file could stand for.
# ruff: noqa: PTH100, PTH109, PTH120

from __future__ import annotations

import os
import sys

FORK_SERVER_LOG = "AIPC_FORK_SERVER_LOG"
_OWN = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def leave_working_directory() -> None:
    """Take from the import path what ``python -m`` puts first: files of a workspace would be run as if they were ours.

    Does nothing where Python was told to stay out (``-P``, ``-I``).
    """
    if sys.path and sys.path[0] in ("", os.getcwd()) and not getattr(sys.flags, "safe_path", False):
        del sys.path[0]


def authors_path() -> list[str]:
    """Our import path, with the author's libraries before ours.

    An editor's server brings libraries of its own (``AIPC_LIBRARIES``) and has them first; in a job the author's
    versions are the right ones.
    """
    own = os.environ.get("AIPC_LIBRARIES")
    path = [item for item in sys.path if item != own]
    return [*path, *([] if _OWN in map(os.path.abspath, path) else [_OWN]), *([own] if own else [])]


FIRST_CODE = "import sys; sys.path[:] = filter(None, sys.path); code = sys.argv[2]; del sys.argv[1:3]; exec(code)"
"""For Python 3.10, which knows no PYTHONSAFEPATH: leaves the working directory, and runs the next ``-c``."""


def spawning_environment() -> dict[str, str]:
    """For the fork server and multiprocessing's tracker: Python stays out of the working directory."""
    path = os.environ.get("PYTHONPATH")
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join((*([path] if path else []), _OWN))}
