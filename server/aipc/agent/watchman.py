"""Sees and refuses, inside Python, what confined code has no business to do, so that it can be named.

The kernel's restrictions hold without it; it is what tells a blocked network connection from a missing file.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_PROGRAMS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
)
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "shutil.rmtree",
)
_KILL = ("os.kill", "os.killpg", "signal.pthread_kill")
_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


_STANDARD = os.path.dirname(os.__file__)  # noqa: PTH120 - compared with the names of code objects


class Watchman:
    """An audit hook. ``handle``: a file descriptor that takes lines of JSON."""

    def __init__(self, handle: int, writable: Sequence[str]) -> None:
        self._handle = handle
        self._writable = tuple(os.path.realpath(path) for path in writable)
        self._busy = threading.local()
        self._reported: set[str] = set()

    def ready(self, enforced: Sequence[str]) -> None:
        """Start to refuse."""
        self._tell({"enforced": list(enforced)})
        sys.addaudithook(self._hook)

    def _tell(self, item: dict[str, Any]) -> None:
        os.write(self._handle, (json.dumps(item) + "\n").encode())

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if getattr(self._busy, "on", False):
            return
        self._busy.on = True
        try:
            reason = self._judge(event, arguments)
            if reason is None:
                return
            if reason not in self._reported and len(self._reported) < 50 and not _by_library():
                self._reported.add(reason)
                self._tell({"tried": reason})
        finally:
            self._busy.on = False
        raise PermissionError(f"{reason}: the agent's sandbox forbids it")

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> str | None:
        if event in _NETWORK:
            return "network"
        if event in _PROGRAMS:
            return "start another program"
        if event in _KILL:
            return "signal another process"
        if event == "open":
            path, mode, flags = (*arguments, None, None)[:3]
            writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & _WRITE)
            return self._outside(path) if writes else None
        if event in _CHANGES:
            # A link made inside, to what lies outside, is of no use: paths are resolved before they are looked at.
            paths = arguments[:2] if event in {"os.rename", "os.link"} else arguments[:1]
            if event == "os.symlink":
                paths = arguments[1:2]
            return next((reason for path in paths if (reason := self._outside(path))), None)
        return None

    def _outside(self, path: Any) -> str | None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None
        real = os.path.realpath(os.fsdecode(path))
        if real == os.devnull or any(real == base or real.startswith(base + os.sep) for base in self._writable):
            return None
        return f"write outside the scratch copy ({Path(real).name})"


def _by_library() -> bool:
    """Whether a library does it of itself (a cache, a probe of the machine): refused, but nobody's attempt."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if "site-packages" in file or "dist-packages" in file:
            return True
        if file != __file__ and not file.startswith((_STANDARD, "<frozen")):
            return False
        frame = frame.f_back  # type: ignore[assignment]
    return True
