"""A content-addressed store on disk: one directory per key, written whole or not at all.

Architecture invariant: an entry that can be seen is complete. It is built in a temporary directory beside
its final place and renamed; a crash leaves only a temporary directory, which the next cleaning removes.
Architecture invariant: nothing is made from a damaged entry. Files have hashes and stamps (``entry_files.py``): a
look-up compares stamps, and what goes into something new was hashed before.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .disk import FULL, MORE_SPACE, free_space_note
from .entry_files import DamagedError, check_files, stamp_of, write_records
from .errors import StorageError
from .hashing import hash_file
from .pins import Pins, unused

_META = "meta.json"
_KEY = re.compile(r"[0-9a-f]{16,128}")
_LIMIT = "limit"
_DEFAULT_BYTES = 20 << 30
_CLEAN_SECONDS = 3600.0
_STAMP_BYTES = 4 << 20
_SETTLED_NS = 2_000_000_000
_ELSEWHERE = "choose a directory that can be written (--output for a package, AIPC_CACHE_DIR for the cache)"
REMEDIES = {
    **dict.fromkeys(FULL, MORE_SPACE),
    errno.ENOTDIR: _ELSEWHERE,
    errno.EROFS: _ELSEWHERE,
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.ELOOP: _ELSEWHERE,
    errno.ENAMETOOLONG: "choose a shorter name",
}
"""What to do about an error of the file system, by its number."""
_ANYWHERE = {*FULL, errno.ENOTDIR, errno.ENAMETOOLONG}


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
        named = Path(error.filename) if isinstance(error.filename, str) else path
        elsewhere = not (named.is_relative_to(path) or path.is_relative_to(named))
        if error.errno not in REMEDIES or (elsewhere and error.errno not in _ANYWHERE):
            raise
        free = free_space_note(path) if error.errno in FULL else ""
        raise StorageError(
            f"cannot write to {path}: {error.strerror}{free}", remedy=REMEDIES[error.errno], detail=str(error)
        ) from error


class DamagedEntryError(StorageError):
    """A cached result that something was going to be made from is not what was written. It was removed.

    Args:
        key: of the entry, which is built again when it is asked for.
    """

    def __init__(self, what: str, *, key: str = "", **rest: Any) -> None:
        self.key = key
        super().__init__(what, **rest)


class Cache:
    """Entries by key. Those that were got or put stay until this object is gone, whatever is cleaned meanwhile.

    Args:
        root: the directory; the user's by default.
        max_bytes: what cleaning leaves; by default what ``aipc cache limit`` was given, else 20 GiB.
    """

    def __init__(self, root: Path | None = None, *, max_bytes: int | None = None) -> None:
        self.root = root or default_cache_dir()
        self.max_bytes = limit(self.root) if max_bytes is None else max_bytes
        self.on_damage: Callable[[str], None] = lambda message: None
        """Called with a sentence for every damaged entry that was removed."""
        self._pins = Pins()
        self._sound: set[str] = set()
        """Keys of entries whose every file was hashed by this object, or written by it."""

    def _dir(self, key: str) -> Path:
        # Some keys come from manifests of packages, which may be anybody's: a key is never a path.
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key[:80]!r} is not a key")
        return self.root / "entries" / key[:2] / key

    def get(self, key: str, *, full: bool = False) -> Entry | None:
        """The entry of ``key``, or None. A damaged entry is removed, reported, and counts as none.

        Args:
            full: hash every file of it, also where its stamp says that nothing has written to it.
        """
        if not _KEY.fullmatch(key) or not self._dir(key).is_dir():
            return None
        try:
            return self._look(key, full=full)
        except DamagedError:
            pass
        try:
            with self._key_lock(key):
                return self._sound_or_removed(key, full=full)
        except (OSError, StorageError):
            return None

    def put(self, key: str, build: Callable[[Path], Mapping[str, Any]]) -> Entry:
        """Build the entry of ``key`` unless it exists; builders of one key wait for each other.

        Args:
            key: hexadecimal digest of everything that the entry depends on.
            build: fills the directory it is given and returns plain JSON data.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        final = self._dir(key)
        with storage_errors(self.root):
            final.parent.mkdir(parents=True, exist_ok=True)
            with self._key_lock(key):
                if entry := self._sound_or_removed(key):
                    return entry
                # We hold the key's lock: what carries its name was left by a builder that died.
                prefix = f".tmp-{key[:32]}-"
                for debris in final.parent.glob(f"{prefix}*"):
                    shutil.rmtree(debris, ignore_errors=True)
                self._remove(final)
                temporary = Path(tempfile.mkdtemp(prefix=prefix, dir=final.parent))
                try:
                    meta = dict(build(temporary))
                    (temporary / _META).write_text(json.dumps(meta, allow_nan=False), "utf-8")
                    write_records(temporary)
                    # Kept before it can be seen: a cleaning between the two would take it away.
                    self._pins.add(temporary)
                    temporary.rename(final)
                    self._pins.move(temporary, final)
                except BaseException:
                    self._pins.drop(temporary)
                    shutil.rmtree(temporary, ignore_errors=True)
                    raise
                self._sound.add(key)
            self._clean_now_and_then()
        return Entry(final, meta)

    def require_sound(self, entries: Iterable[Entry]) -> None:
        """Hash the files of entries that something new is going to be made from, each once.

        Raises:
            DamagedEntryError: one of them is damaged; it was removed and reported.
        """
        for entry in entries:
            key = entry.path.name
            if key in self._sound or entry.path.parent.parent != self.root / "entries":
                continue
            if self.get(key, full=True) is None:
                raise DamagedEntryError(
                    f"the cached result {entry.path} is damaged", key=key, remedy="run the command again"
                )

    def remove(self, key: str) -> bool:
        """Whether there is no entry of ``key`` now: one that another process uses stays."""
        path = self._dir(key)
        if not path.exists():
            return True
        self._pins.drop(path)
        self._sound.discard(key)
        with storage_errors(self.root), self._key_lock(key), unused(path) as free:
            if free:
                self._remove(path)
        return not path.exists()

    def clean(self) -> int:
        """Remove what a crash left and the least recently used entries above ``max_bytes``; bytes freed."""
        from .cache_cleaning import clean

        return clean(self.root, self.max_bytes)

    def _look(self, key: str, *, full: bool) -> Entry | None:
        """Raises DamagedError."""
        path = self._dir(key)
        if not self._pins.add(path):
            return None
        records = check_files(path, full=full and key not in self._sound)
        try:
            text = (path / _META).read_bytes()
            if hashlib.sha256(text).hexdigest() != records[_META].sha256:
                raise DamagedError(f"{_META} is not what was written")
            meta = json.loads(text)
        except (OSError, ValueError, KeyError) as error:
            raise DamagedError(f"{_META} cannot be read") from error
        if full:
            self._sound.add(key)
        with _suppress_os():
            os.utime(path)
        return Entry(path, meta)

    def _sound_or_removed(self, key: str, *, full: bool = False) -> Entry | None:
        """The entry, or None after a damaged one was removed. The key's lock is held."""
        try:
            return self._look(key, full=full)
        except DamagedError as error:
            self._remove(self._dir(key))
            self._sound.discard(key)
            self.on_damage(f"a cached result was damaged and is made again: {error} ({key[:12]})")
            return None

    def _remove(self, path: Path) -> None:
        """Out of its place in one step, so that no half of it can be seen."""
        self._pins.drop(path)
        trash = path.with_name(f".trash-{uuid.uuid4().hex[:12]}")
        with _suppress_os():
            path.rename(trash)
            shutil.rmtree(trash, ignore_errors=True)

    @contextmanager
    def _key_lock(self, key: str) -> Iterator[None]:
        from filelock import FileLock

        locks = self.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / f"{key[:32]}.lock"):
            yield

    def _clean_now_and_then(self) -> None:
        stamp = self.root / "cleaned"
        with _suppress_os():
            if not stamp.exists() or time.time() - stamp.stat().st_mtime > _CLEAN_SECONDS:
                stamp.touch()
                self.clean()


def limit(root: Path) -> int:
    """Bytes that the entries of a cache may take: what was set, else 20 GiB."""
    try:
        return max(0, int((root / _LIMIT).read_text("utf-8")))
    except (OSError, ValueError):
        return _DEFAULT_BYTES


def set_limit(root: Path, count: int) -> None:
    """Raises StorageError when the cache's directory cannot be written."""
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        (root / _LIMIT).write_text(str(count), "utf-8")


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
        except (OSError, ValueError, RecursionError):
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
                except (OSError, ValueError, RecursionError):
                    records = {}
                records = records if isinstance(records, dict) else {}
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
    except (OSError, ValueError, TypeError, AttributeError):
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
    return list(stamp_of(path))


@contextmanager
def _suppress_os() -> Iterator[None]:
    # Another process may remove an entry between two looks at it.
    try:
        yield
    except OSError:
        return
