"""Content hashes: what the cache is keyed by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .plain_data import to_plain

_CHUNK = 1 << 20


def hash_files(paths: Iterable[Path | str]) -> dict[str, str]:
    """SHA-256 of each file, by its path as text, in the order of the paths. Raises OSError."""
    return {str(path): hash_file(path) for path in paths}


def hash_file(path: Path | str) -> str:
    """SHA-256 of a file's content, as hexadecimal digits. Raises OSError when it cannot be read."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_CHUNK))
    with Path(path).open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()


def hash_value(value: Any) -> str:
    """SHA-256 of a value's canonical JSON: the same for equal values in any process.

    Raises TypeError for a value that has no JSON form: its ``repr`` may hold an address, and a key that
    differs in every process would never be found again.
    """
    text = json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
