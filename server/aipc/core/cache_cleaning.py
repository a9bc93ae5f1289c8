"""What leaves a cache: what dead processes left, then what was used least recently. Never what is in use."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .entry_files import RECORD
from .pins import unused
from .scratch import PREFIX

_REST_SECONDS = 24 * 3600.0
"""Directories that no lock guards go after this time: those of failed checks, whose logs an error names."""
_TEMPORARY = re.compile(r"\.tmp-([0-9a-f]{16,32})-.*")


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing in a cache: an entry, or the statistics of a calibration."""

    path: Path
    used: float
    """Seconds since the epoch of its last use."""
    size: int


def pieces(root: Path) -> list[Piece]:
    """Everything in a cache that counts towards its limit, the least recently used first."""
    items = []
    places = [*(root / "entries").glob("[0-9a-f]*/[0-9a-f]*"), *(root / "calibration").glob("*")]
    for path in places:
        with suppress(OSError):
            items.append(Piece(path, path.stat().st_mtime, size_of(path)))
    return sorted(items, key=lambda piece: piece.used)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a directory."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for item in path.rglob("*"):
        with suppress(OSError):
            total += item.stat().st_size if item.is_file() else 0
    return total


def clean(root: Path, most_bytes: int) -> int:
    """Remove what dead processes left, then unused entries until ``most_bytes`` are left; bytes freed."""
    freed = _remove_debris(root)
    items = pieces(root)
    total = sum(piece.size for piece in items)
    for piece in items:
        # Without hashes it is of an earlier version, and nothing is ever made from it.
        stale = piece.path.parent.name != "calibration" and not (piece.path / RECORD).is_file()
        if (stale or total > most_bytes) and remove_unused(piece.path):
            total -= piece.size
            freed += piece.size
    _remove_locks(root)
    _remove_manifests(root)
    return freed


def remove_unused(path: Path) -> bool:
    """Remove a directory or file of the cache that nobody keeps. Out of its place in one step, then file by file."""
    if not path.is_dir():
        with suppress(OSError):
            path.unlink()
            return True
        return False
    with _no_builder(path) as alone, unused(path) as free:
        if not alone or not free:
            return False
        trash = path.with_name(f".trash-{path.name[:32]}-{os.getpid()}-{time.time_ns()}")
        with suppress(OSError):
            path.rename(trash)
            shutil.rmtree(trash, ignore_errors=True)
            return True
    return False


@contextmanager
def _no_builder(path: Path) -> Iterator[bool]:
    """Whether nobody builds this entry; for the time of the block nobody begins to, and puts another in its place."""
    from filelock import FileLock, Timeout

    if path.parent.parent.name != "entries":
        yield True
        return
    locks = path.parent.parent.parent / "locks"
    try:
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{path.name[:32]}.lock")
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _remove_debris(root: Path) -> int:
    freed = 0
    for path in _debris(root):
        with suppress(OSError):
            size = size_of(path)
            shutil.rmtree(path, ignore_errors=True)
            freed += size
    return freed


def _debris(root: Path) -> Iterator[Path]:
    from filelock import FileLock, Timeout

    now = time.time()
    for path in (root / "entries").glob("*/.trash-*"):
        yield path
    for path in (root / "entries").glob("*/.tmp-*"):
        match = _TEMPORARY.fullmatch(path.name)
        if match is None:
            continue
        # Its builder holds the key's lock for as long as it lives.
        with suppress(Timeout, OSError):
            (root / "locks").mkdir(parents=True, exist_ok=True)
            with FileLock(root / "locks" / f"{match[1]}.lock", timeout=0):
                yield path
    for path in root.glob(f"{PREFIX}*"):
        with unused(path) as free:  # its owner holds a lock
            if free:
                yield path
    for path in (root / "checks").glob("*"):
        with suppress(OSError):
            if now - path.stat().st_mtime > _REST_SECONDS:
                yield path


def _remove_locks(root: Path) -> None:
    """Files of locks that nobody holds. filelock takes another file when the one that it opened is gone."""
    from filelock import FileLock, Timeout

    now = time.time()
    for path in (*(root / "locks").glob("*.lock"), *(root / "manifests").glob("*.lock")):
        with suppress(OSError, Timeout):
            if now - path.stat().st_mtime < _REST_SECONDS:
                continue
            with FileLock(path, timeout=0):
                path.unlink()


def _remove_manifests(root: Path) -> None:
    """Look-up tables whose entries are all gone."""
    for path in (root / "manifests").glob("*.json"):
        with suppress(OSError):
            try:
                keys = list(json.loads(path.read_text("utf-8")))
            except (ValueError, TypeError, RecursionError):
                keys = []
            if not any((root / "entries" / str(key)[:2] / str(key)).is_dir() for key in keys):
                path.unlink()
