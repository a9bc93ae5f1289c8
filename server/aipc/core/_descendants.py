"""Descendants of a process: adopted when their own parent ends, killed at its end."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 20


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends: a daemon stays a descendant. Linux only."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_descendants() -> None:
    """Kill every descendant, again until none is left: one may have been starting another."""
    for _ in range(_ROUNDS):
        processes = descendants(os.getpid())
        if not processes:
            return
        for pid in processes:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def descendants(root: int) -> set[int]:
    """Process numbers of all living descendants; none where the system has no /proc."""
    if sys.platform != "linux":
        return set()
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                # After the name in parentheses, which may hold anything: the state and the parent's number.
                state, parent = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
                if state != "Z":
                    children.setdefault(int(parent), []).append(int(entry.name))
    processes: set[int] = set()
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), []):
            if child not in processes:
                processes.add(child)
                waiting.append(child)
    return processes
