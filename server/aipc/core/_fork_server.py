"""What the fork server imports first: it finds the author's libraries, adopts what jobs leave behind and ends with it.

In a container, process 1 often reaps nothing, and every job's guard would stay as a zombie.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import warnings

from ._descendants import adopt_orphans, kill_descendants
from ._paths import FORK_SERVER_LOG, authors_path

_LOOK_SECONDS = 0.5

sys.path[:] = authors_path()

if log := os.environ.pop(FORK_SERVER_LOG, ""):
    # The front's terminal or pipe must end with the front, whatever a job leaves running.
    nothing, output = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, descriptor)
    os.close(nothing)
    os.close(output)

if sys.platform == "linux":
    adopt_orphans()
    # The server reaps any child, but is surprised by those that it did not fork itself.
    warnings.filterwarnings("ignore", message="forkserver: waitpid returned unexpected pid")
atexit.register(kill_descendants)


def _end_with_front(front: int = os.getppid()) -> None:
    """While the heavy libraries are imported nobody looks at the pipe that tells of the front's end."""

    def look(*_: object) -> None:
        if os.getppid() != front:
            os._exit(1)

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, _LOOK_SECONDS, _LOOK_SECONDS)


def imported() -> None:
    """The imports are done: from here on multiprocessing's own loop sees the front's end."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


_end_with_front()
