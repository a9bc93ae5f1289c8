"""Content hashes: what the cache is keyed by."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .json import to_plain

_CHUNK = 1 << 20


def hash_file(path: Path | str) -> str:
    """SHA-256 of a file's content, as hexadecimal digits. Raises OSError when it cannot be read."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def hash_value(value: Any) -> str:
    """SHA-256 of a value's canonical JSON: the same for equal values in any process."""
    text = json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
