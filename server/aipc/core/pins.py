"""Directories in use: a shared lock on the directory itself, which the kernel gives back when its holder dies.

Nothing is written for it and nothing is left of it. Where directories cannot be locked (Windows), what was used within
the last hours counts as in use.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_RECENT_SECONDS = 6 * 3600.0


class Pins:
    """The directories that one user of a cache keeps from being removed, until it is closed or gone."""

    def __init__(self) -> None:
        self._descriptors: dict[Path, int] = {}
        self._finalizer = weakref.finalize(self, _close, self._descriptors)

    def add(self, directory: Path) -> bool:
        """Keep a directory. False when it is not there, or about to be removed."""
        if fcntl is None:
            return directory.is_dir()
        if directory in self._descriptors:
            if _same(self._descriptors[directory], directory):
                return True
            self.drop(directory)  # it was made again
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:
            pass  # a file system without locks
        if not _same(descriptor, directory):
            os.close(descriptor)
            return False
        self._descriptors[directory] = descriptor
        return True

    def drop(self, directory: Path) -> None:
        descriptor = self._descriptors.pop(directory, None)
        if descriptor is not None:
            os.close(descriptor)

    def move(self, directory: Path, place: Path) -> None:
        """A directory that is kept has been renamed."""
        descriptor = self._descriptors.pop(directory, None)
        if descriptor is not None:
            self.drop(place)
            self._descriptors[place] = descriptor

    def close(self) -> None:
        self._finalizer()


@contextmanager
def unused(directory: Path) -> Iterator[bool]:
    """Whether nobody keeps a directory; for the time of the block nobody begins to.

    That nobody puts another one in its place meanwhile is up to the caller.
    """
    if fcntl is None:
        with suppress(OSError):
            yield time.time() - directory.stat().st_mtime > _RECENT_SECONDS
            return
        yield False
        return
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        except OSError:
            free = True
        # Another may have been put in its place since it was opened.
        yield free and _same(descriptor, directory)
    finally:
        os.close(descriptor)


def _same(descriptor: int, directory: Path) -> bool:
    try:
        there, ours = directory.stat(), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_ino, there.st_dev) == (ours.st_ino, ours.st_dev)


def _close(descriptors: dict[Path, int]) -> None:
    while descriptors:
        _, descriptor = descriptors.popitem()
        with suppress(OSError):
            os.close(descriptor)
