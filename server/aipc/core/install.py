"""Put a finished directory in its place: whole or not at all, and never over something that AIPC did not write.

The new directory is built next to its place under a name of its own. Where the system can exchange two names in one
step (Linux: ``renameat2``), there is no moment without a complete directory; elsewhere the earlier one is renamed to
``.NAME.old`` for that moment, and the next installation restores it when a kill came between. A lock on the place lets
one process install at a time; the kernel releases it when that process dies.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .cache import default_cache_dir, storage_errors
from .errors import StorageError
from .hashing import hash_value

_EXCHANGE, _AT_FDCWD = 2, -100
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}
_LOCK_SECONDS = 600.0
_OTHER = "choose another directory with --output"

Problem = Callable[[Path], str]
"""Why a directory is not one that AIPC alone wrote, as a clause; "" when it is and may be replaced."""


def check_destination(destination: Path, problem: Problem) -> None:
    """Raises StorageError unless a directory can be installed at ``destination``: nothing is lost there.

    It is absent, an empty directory, or a directory that ``problem`` finds nothing wrong with.
    """
    try:
        with suppress(FileNotFoundError):
            _staging(destination).lstat()  # the longest name that is needed
        status = destination.lstat()
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise StorageError(f"{destination} is inside a file", remedy=_OTHER) from error
    except OSError as error:
        raise StorageError(f"{destination} cannot be used: {error.strerror}", remedy=_OTHER) from error
    if not stat.S_ISDIR(status.st_mode):
        raise StorageError(f"{destination} is {_kind(status.st_mode)}", remedy="choose a directory with --output")
    try:
        empty = not any(os.scandir(destination))
    except OSError as error:
        raise StorageError(f"{destination} cannot be read: {error.strerror}", remedy=_OTHER) from error
    if not empty and (reason := problem(destination)):
        raise StorageError(f"{destination} is not replaced: {reason}", remedy=_OTHER)


def install_directory(destination: Path, build: Callable[[Path], None], problem: Problem) -> None:
    """Build a directory and put it at ``destination``, in place of an earlier one that AIPC wrote.

    Args:
        build: fills the directory that it is given, which does not exist yet.
        problem: looked at before the work, and again for exactly what was replaced.

    Raises:
        StorageError: something else is there, or another process has the place for ten minutes.
        OSError: the place cannot be written. What was there before is still there.
    """
    check_destination(destination, problem)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with _locked(destination):
        recover(destination, problem)
        _remove_debris(destination)
        check_destination(destination, problem)
        staging = _staging(destination)
        try:
            build(staging)
            _swap(staging, destination, problem)
        finally:
            # After an exchange this is the earlier directory.
            shutil.rmtree(staging, ignore_errors=True)


def install_output(destination: Path, build: Callable[[Path], None], problem: Problem) -> None:
    """:func:`install_directory` with every error of the file system as a StorageError that names the place."""
    try:
        with storage_errors(destination.parent):
            install_directory(destination, build, problem)
    except OSError as error:
        raise StorageError(f"{destination} cannot be written: {error.strerror or error}", remedy=_OTHER) from error


def recover(destination: Path, problem: Problem) -> None:
    """Put an earlier directory back that a killed installation had moved out of the way."""
    old = _old(destination)
    with suppress(OSError):  # what cannot be used is reported by check_destination
        if destination.is_symlink() or not old.is_dir() or old.is_symlink() or problem(old):
            return
        if destination.exists() and not any(os.scandir(destination)):
            destination.rmdir()
        if destination.exists():
            shutil.rmtree(old, ignore_errors=True)  # the new one is complete: the kill came after it
        else:
            old.rename(destination)


def _swap(staging: Path, destination: Path, problem: Problem) -> None:
    try:
        destination.rmdir()  # empty, or absent
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY}:
            raise
    if not destination.exists():
        staging.rename(destination)
        return
    if _exchange(staging, destination):
        # Somebody may have put a file there since it was looked at: then it goes back.
        if reason := problem(staging):
            _exchange(staging, destination)
            raise StorageError(f"{destination} is not replaced: {reason}", remedy=_OTHER)
        return
    old = _old(destination)
    destination.rename(old)
    try:
        if reason := problem(old):
            raise StorageError(f"{destination} is not replaced: {reason}", remedy=_OTHER)
        staging.rename(destination)
    except BaseException:
        old.rename(destination)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step. False where the system or its file system cannot."""
    if sys.platform != "linux":
        return False
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return False
    if function(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(second))


def _staging(destination: Path) -> Path:
    return destination.with_name(f".{destination.name}.{uuid.uuid4().hex[:12]}.new")


def _old(destination: Path) -> Path:
    return destination.with_name(f".{destination.name}.old")


def _remove_debris(destination: Path) -> None:
    """What killed installations left; the lock is ours, so none of them is alive."""
    name = re.compile(re.escape(f".{destination.name}.") + r"[0-9a-f]{12}\.new")
    for path in destination.parent.iterdir():
        if name.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _locked(destination: Path) -> Iterator[None]:
    """Held by one process that installs below the same parent directory. Leaves no file there."""
    try:
        import fcntl
    except ImportError:  # Windows: a directory cannot be locked, a file in the user's cache can
        with _locked_by_file(destination):
            yield
        return
    descriptor = os.open(destination.parent, os.O_RDONLY)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise _busy(destination) from None
                time.sleep(0.02)
            except OSError:  # a file system without locks: the exchange alone must do
                break
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _locked_by_file(destination: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    locks = default_cache_dir() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"output-{hash_value(str(destination.parent.resolve()))[:32]}.lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        raise _busy(destination) from error
    try:
        yield
    finally:
        lock.release()


def _busy(destination: Path) -> StorageError:
    return StorageError(
        f"another process has been writing to {destination.parent} for ten minutes",
        remedy="wait for it or stop it",
    )


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "a file"
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
