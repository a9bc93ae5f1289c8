"""What tells that the files of a finished directory are still those that were written.

Each file has its SHA-256 and a stamp (inode, size, times of the last change). A file with the same stamp was not
written by any program since, so it is not read again for a look-up; one with another stamp is hashed. What a storage
device changes by itself leaves the stamp alone: a full check hashes every file, and is made before something new is
made from them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from .hashing import hash_file

RECORD = "hashes.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class FileRecord:
    sha256: str
    stamp: tuple[int, ...]


Records = Mapping[str, FileRecord]
"""Path below the directory, with slashes -> what the file was when it was written."""


class DamagedError(Exception):
    """A file is missing or not what was written. The message is a clause that names it."""


def stamp_of(path: Path | str) -> tuple[int, ...]:
    """Inode, size in bytes, and the times in ns of the last change of content and of inode. Raises OSError."""
    status = Path(path).stat()
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def write_records(directory: Path) -> Records:
    """Hash every file of a directory and write the record into it."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file() and path.name != RECORD)
    records = {path.relative_to(directory).as_posix(): FileRecord(hash_file(path), stamp_of(path)) for path in paths}
    _write(directory, records)
    return records


def read_records(directory: Path) -> Records:
    """Raises DamagedError when there is no record that can be read."""
    try:
        data = json.loads((directory / RECORD).read_text("utf-8"))
        if data["version"] != _VERSION:
            raise ValueError("of another version")
        return {
            str(name): FileRecord(str(digest), tuple(int(number) for number in stamp))
            for name, (digest, stamp) in data["files"].items()
        }
    except FileNotFoundError as error:
        raise DamagedError(f"{RECORD} is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{RECORD} cannot be read") from error


def check_files(directory: Path, *, full: bool) -> Records:
    """The record, after every file was found as it was written.

    Args:
        full: hash every file; else those whose stamp is another one, whose new stamp is then kept.

    Raises:
        DamagedError: names the first file that is missing or changed.
    """
    records = dict(read_records(directory))
    moved = False
    for name, record in records.items():
        path = directory / name
        try:
            stamp = stamp_of(path)
            if stamp[1] != record.stamp[1]:
                raise DamagedError(f"{name} has {stamp[1]} bytes and had {record.stamp[1]}")
            if (full or stamp != record.stamp) and hash_file(path) != record.sha256:
                raise DamagedError(f"{name} is not what was written")
        except (OSError, IndexError) as error:
            raise DamagedError(f"{name} is missing or cannot be read") from error
        if stamp != record.stamp:
            # The same content in another place: a cache that was copied.
            records[name], moved = replace(record, stamp=stamp), True
    if moved:
        with suppress(OSError):  # a cache that cannot be written is hashed each time
            _write(directory, records)
    return records


def _write(directory: Path, records: Records) -> None:
    data = {"version": _VERSION, "files": {name: [item.sha256, list(item.stamp)] for name, item in records.items()}}
    temporary = directory / f".{RECORD}.{os.getpid()}"
    temporary.write_text(json.dumps(data), "utf-8")
    temporary.replace(directory / RECORD)
