"""What the fork server imports first: it finds the author's libraries, adopts and reaps what jobs leave behind.

In a container, process 1 often reaps nothing, and every job's guard would stay as a zombie.
"""

from __future__ import annotations

import ctypes
import sys
import warnings
from contextlib import suppress

from ._paths import authors_path

_PR_SET_CHILD_SUBREAPER = 36

sys.path[:] = authors_path()

if sys.platform == "linux":
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    # The server reaps any child, but is surprised by those that it did not fork itself.
    warnings.filterwarnings("ignore", message="forkserver: waitpid returned unexpected pid")
