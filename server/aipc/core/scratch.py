"""Temporary directories that go away: with their owner, or, when it was killed, at the next start of any of us.

The owner holds a lock on the directory, which the kernel gives back when it dies. A job that is cancelled is killed, so
what it leaves is not its own to remove: its front process makes and removes the directory.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .pins import Pins, unused

PREFIX = "aipc-scratch-"
_FORMER = re.compile(r"aipc-(job|proof|rewritten|ranges|accuracy|taps|numerics|confined|agent|package|run)-.*")
"""What no lock guards: logs that an error names, and directories inside one that a job had to itself."""
_FORMER_SECONDS = 24 * 3600.0
_SHARED_MEMORY = Path("/dev/shm")
_swept = threading.Event()


@contextmanager
def scratch_directory(parent: Path | None = None) -> Iterator[Path]:
    """A directory for the time of the block, below ``parent`` or the system's directory for temporary files."""
    pins = Pins()
    while True:
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        if pins.add(directory):
            break  # else another start swept it before it had its lock
    try:
        yield directory
    finally:
        pins.close()
        shutil.rmtree(directory, ignore_errors=True)


def memory_directory() -> Path | None:
    """A directory in memory for files that are large and read once; None where there is none."""
    return _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None


def sweep_once() -> None:
    """:func:`sweep`, at the first call in this process."""
    if not _swept.is_set():
        _swept.set()
        sweep()


def sweep() -> None:
    """Remove the temporary directories of processes that were killed. Never raises."""
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).iterdir():
            with suppress(OSError):
                _sweep(path)
    sweep_memory()


def sweep_memory() -> None:
    """The same for directories in memory."""
    with suppress(OSError):
        for path in _SHARED_MEMORY.glob(f"{PREFIX}*"):
            _remove_unused(path)


def _sweep(path: Path) -> None:
    if path.name.startswith(PREFIX):
        _remove_unused(path)
    elif path.name.startswith("pymp-"):
        _remove_dead_server(path)
    elif _FORMER.fullmatch(path.name):
        status = path.lstat()
        if time.time() - status.st_mtime > _FORMER_SECONDS and _is_ours(status):
            _remove(path, status)


def _remove_unused(path: Path) -> None:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or not _is_ours(status):
        return
    with unused(path) as free:
        if free:
            shutil.rmtree(path, ignore_errors=True)


def _remove_dead_server(path: Path) -> None:
    """The directory of multiprocessing's fork server, when it is old and nobody listens at what it holds.

    Whether somebody listens is read, never tried: a connection that brings no job ends the server.
    """
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or not _is_ours(status) or time.time() - status.st_mtime < _FORMER_SECONDS:
        return
    sockets = list(path.iterdir())
    bound = _bound_sockets()
    if bound is None or not all(item.name.startswith("listener-") and item.is_socket() for item in sockets):
        return
    if not any(str(item) in bound for item in sockets):
        shutil.rmtree(path, ignore_errors=True)


def _bound_sockets() -> set[str] | None:
    """Paths of all sockets that a process of this machine has bound; None where the system does not tell."""
    try:
        lines = Path("/proc/net/unix").read_text("utf-8", "replace").split("\n")
    except OSError:
        return None
    # Num RefCount Protocol Flags Type St Inode Path
    return {fields[7] for line in lines[1:] if len(fields := line.split(maxsplit=7)) == 8}


def _remove(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()


def _is_ours(status: os.stat_result) -> bool:
    return not hasattr(os, "getuid") or status.st_uid == os.getuid()
