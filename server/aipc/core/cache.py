"""A content-addressed store on disk: one directory per key, written whole or not at all.

Architecture invariant: an entry that can be seen is complete. It is built in a temporary directory beside
its final place and renamed; a crash leaves only a temporary directory, which the next cleaning removes.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import StorageError
from .hashing import hash_file

_META = "meta.json"
_STALE_SECONDS = 24 * 3600.0
_CLEAN_SECONDS = 3600.0
_STAMP_BYTES = 4 << 20
_SETTLED_NS = 2_000_000_000
_ELSEWHERE = "choose a directory that can be written (--output for a package, AIPC_CACHE_DIR for the cache)"
_MORE_SPACE = "free some space, or choose another directory (--output for a package, AIPC_CACHE_DIR for the cache)"
_REMEDIES = {
    errno.ENOSPC: _MORE_SPACE,
    errno.EDQUOT: _MORE_SPACE,
    errno.EFBIG: _MORE_SPACE,
    errno.ENOTDIR: _ELSEWHERE,
    errno.EROFS: _ELSEWHERE,
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.ELOOP: _ELSEWHERE,
    errno.ENAMETOOLONG: "choose a shorter name",
}
_ANYWHERE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOTDIR, errno.ENAMETOOLONG}


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished entry: its directory (read-only by convention) and what its builder returned."""

    path: Path
    meta: Mapping[str, Any]


def default_cache_dir() -> Path:
    """``AIPC_CACHE_DIR``, or the user's cache directory of this platform."""
    if override := os.environ.get("AIPC_CACHE_DIR"):
        return Path(override).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("aipc", appauthor=False)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into a :class:`StorageError` that names the directory."""
    try:
        yield
    except OSError as error:
        # An author's file that cannot be read is no fault of this directory.
        elsewhere = isinstance(error.filename, str) and not Path(error.filename).is_relative_to(path)
        if error.errno not in _REMEDIES or (elsewhere and error.errno not in _ANYWHERE):
            raise
        raise StorageError(
            f"cannot write to {path}: {error.strerror}", remedy=_REMEDIES[error.errno], detail=str(error)
        ) from error


class Cache:
    def __init__(self, root: Path | None = None, *, max_bytes: int = 20 << 30) -> None:
        self.root = root or default_cache_dir()
        self.max_bytes = max_bytes

    def _dir(self, key: str) -> Path:
        return self.root / "entries" / key[:2] / key

    def get(self, key: str) -> Entry | None:
        """The entry of ``key``, or None. A damaged entry counts as none and is removed."""
        path = self._dir(key)
        try:
            meta = json.loads((path / _META).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            shutil.rmtree(path, ignore_errors=True)
            return None
        with _suppress_os():
            os.utime(path)
        return Entry(path, meta)

    def put(self, key: str, build: Callable[[Path], Mapping[str, Any]]) -> Entry:
        """Build the entry of ``key`` unless it exists; builders of one key wait for each other.

        Args:
            key: hexadecimal digest of everything that the entry depends on.
            build: fills the directory it is given and returns plain JSON data.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        from filelock import FileLock

        final = self._dir(key)
        with storage_errors(self.root):
            final.parent.mkdir(parents=True, exist_ok=True)
            locks = self.root / "locks"
            locks.mkdir(exist_ok=True)
            with FileLock(locks / f"{key[:32]}.lock"):
                if entry := self.get(key):
                    return entry
                # We hold the key's lock: what carries its name was left by a builder that died.
                prefix = f".tmp-{key[:32]}-"
                for debris in (*final.parent.glob(f"{prefix}*"), final):
                    shutil.rmtree(debris, ignore_errors=True)
                temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=final.parent))
                try:
                    meta = dict(build(temporary))
                    (temporary / _META).write_text(json.dumps(meta, allow_nan=False), "utf-8")
                    temporary.rename(final)
                except BaseException:
                    shutil.rmtree(temporary, ignore_errors=True)
                    raise
            self._clean_now_and_then()
        return Entry(final, meta)

    def _clean_now_and_then(self) -> None:
        stamp = self.root / "cleaned"
        with _suppress_os():
            if not stamp.exists() or time.time() - stamp.stat().st_mtime > _CLEAN_SECONDS:
                stamp.touch()
                self.clean()

    def remove(self, key: str) -> None:
        shutil.rmtree(self._dir(key), ignore_errors=True)

    def clean(self) -> int:
        """Remove what a crash left and the least recently used entries above ``max_bytes``; bytes freed."""
        freed = 0
        entries: list[tuple[float, int, Path]] = []
        for path in (self.root / "entries").glob("*/*"):
            with _suppress_os():
                used = path.stat().st_mtime
                size = sum(item.stat().st_size for item in path.rglob("*") if item.is_file())
                if path.name.startswith(".tmp-"):
                    if time.time() - used > _STALE_SECONDS:
                        shutil.rmtree(path, ignore_errors=True)
                        freed += size
                    continue
                entries.append((used, size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self.max_bytes:
                break
            shutil.rmtree(path, ignore_errors=True)
            total -= size
            freed += size
        return freed


class Manifest:
    """Which files a result turned out to depend on, as ccache's manifests do.

    The first key holds only what is known before the work (reference, configuration, versions). The files
    that the work read are recorded with their hashes; a later look-up holds when all of them still match.
    """

    def __init__(self, cache: Cache) -> None:
        self._root = cache.root / "manifests"

    def _path(self, primary: str) -> Path:
        return self._root / f"{primary}.json"

    def lookup(self, primary: str) -> str | None:
        """The entry key recorded under ``primary`` whose files are all unchanged."""
        try:
            records = json.loads(self._path(primary).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(records, dict):
            return None
        return next((key for key, files in records.items() if files is None or (files and _unchanged(files))), None)

    def record(self, primary: str, files: Mapping[str, str] | None, entry: str) -> None:
        """Remember that ``entry`` came from ``files`` (path -> SHA-256 when they were read).

        None: ``primary`` alone decides it. With no file at all it is never found again: something was not seen.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        from filelock import FileLock

        with storage_errors(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path(primary)}.lock"):
                try:
                    records = json.loads(self._path(primary).read_text("utf-8"))
                except (OSError, ValueError):
                    records = {}
                records.pop(entry, None)
                stamped = (
                    {path: _stamped(path, digest) for path, digest in files.items()} if files is not None else None
                )
                newest = {entry: stamped} | records
                text = json.dumps(dict(list(newest.items())[:16]))
                temporary = self._path(primary).with_suffix(f".{os.getpid()}.tmp")
                temporary.write_text(text, "utf-8")
                temporary.replace(self._path(primary))


def _unchanged(files: Mapping[str, list[Any]]) -> bool:
    try:
        return all(
            (stamp is not None and _stamp(path) == stamp) or hash_file(path) == digest
            for path, (digest, stamp) in files.items()
        )
    except (OSError, ValueError, TypeError):
        return False


def _stamped(path: str, digest: str) -> list[Any]:
    """The digest, and for a big file what tells without reading that it is still the same, when that is safe.

    Safe means: a POSIX file system, where nobody can set the change time back; the content still is what the
    digest says; and the last change is old enough that another one would get another time.
    """
    with _suppress_os():
        stamp = _stamp(path)
        worth_it = os.name == "posix" and stamp[1] >= _STAMP_BYTES
        settled = time.time_ns() - stamp[3] > _SETTLED_NS
        if worth_it and settled and hash_file(path) == digest and _stamp(path) == stamp:
            return [digest, stamp]
    return [digest, None]


def _stamp(path: str) -> list[int]:
    status = Path(path).stat()
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


@contextmanager
def _suppress_os() -> Iterator[None]:
    # Another process may remove an entry between two looks at it.
    try:
        yield
    except OSError:
        return
