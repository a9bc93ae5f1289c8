"""Full disks in words: which place, and how much is free there."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import StorageError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
MORE_SPACE = (
    "free some space, or choose another directory (--output for a package, AIPC_CACHE_DIR for the cache, TMPDIR)"
)
_WORDS = re.compile(
    r"no space left on device|disk quota exceeded|file too large|PytorchStreamWriter failed writing", re.IGNORECASE
)
"""Of libraries in native code, which raise no OSError."""
_NEXT_TO_NOTHING = 64 << 10


def free_space_note(path: Path) -> str:
    """ " (0.3 MB are free)" for the disk of a path, which need not exist; "" where the system does not say."""
    free = _free(path)
    return "" if free is None else f" ({free / 1e6:.1f} MB are free)"


def full_disk(error: BaseException, places: tuple[Path, ...]) -> StorageError | None:
    """The error that a full disk is behind ``error``, or None.

    Args:
        places: where the failed work writes; that with the least space is named where the error names none.
    """
    places = (*places, Path(tempfile.gettempdir()))
    full = [
        path for path in places if (free := _free(path)) is not None and free < _NEXT_TO_NOTHING and _writable(path)
    ]
    for item in _chain(error):
        number = item.errno if isinstance(item, OSError) else None
        if number not in FULL and not _WORDS.search(str(item)) and not full:
            continue
        named = item.filename if isinstance(item, OSError) and isinstance(item.filename, str) else None
        place = Path(named) if named else min(full or places, key=lambda path: _free(path) or 0)
        reason = "a file may not grow larger" if number == errno.EFBIG else "the disk is full"
        return StorageError(f"cannot write to {place}: {reason}{free_space_note(place)}", remedy=MORE_SPACE)
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _writable(path: Path) -> bool:
    """Images and other read-only file systems are full by nature."""
    return os.access(next((place for place in (path, *path.parents) if place.exists()), path), os.W_OK)


def _free(path: Path) -> int | None:
    for place in (path, *path.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
