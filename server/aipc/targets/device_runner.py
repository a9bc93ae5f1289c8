"""The runner in a process of its own that imports nothing from where it stands.

Python puts the directory of a script, and with ``-c`` the working directory, first on its import path: a ``numpy.py``
there would run instead of numpy. ``-I`` leaves both out, and with them what the user asked for by ``PYTHONPATH`` or
installed for this user alone; those come back at the end of the path, when they are absolute.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Sequence
from pathlib import Path

RUNNER = Path(__file__).resolve().parents[1] / "pipeline" / "runner" / "run.py"
"""AIPC's own runner: the same that it puts into packages, and the only one that AIPC executes."""
RECORDING = RUNNER.with_name("recording.py")
"""Its part that records live inputs, which goes into packages beside it."""
RUNNER_VERSION = 3
"""What the runner understands: since 2 ``--progress`` and ``--cpu-model``, since 3 ``--further``."""

# The first argument is the end of the import path; what follows is the script with its arguments.
_START = (
    "import runpy, sys; sys.path += sys.argv.pop(1).split(__import__('os').pathsep); del sys.argv[0]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


def isolated(*arguments: str, libraries: Sequence[str] = ()) -> list[str]:
    """The command that runs a script with its arguments isolated.

    Args:
        libraries: directories that the script imports from besides what is installed.
    """
    more = os.pathsep.join([*libraries, *_users_own()])
    if not more:
        return [sys.executable, "-I", *arguments]
    return [sys.executable, "-I", "-c", _START, more, *arguments]


def _users_own() -> list[str]:
    named = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and Path(path).is_absolute()]
    return [*named, *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
