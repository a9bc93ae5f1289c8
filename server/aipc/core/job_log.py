"""The log of a job, which native code writes to by itself, kept below a size."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 64 << 20
_KEPT_BYTES = 1 << 20


def cap_log(log: Path, most_bytes: int = MOST_BYTES) -> None:
    """Leave the beginning and the end of a log that has become too long, and a line that says so.

    Its writer appends, so that what it writes afterwards follows. Lines written at this very moment may be lost.
    """
    with suppress(OSError):
        size = log.stat().st_size
        if size <= most_bytes:
            return
        tail_bytes = min(_KEPT_BYTES, most_bytes // 4)
        with log.open("rb") as stream:
            stream.seek(size - tail_bytes)
            end = stream.read(tail_bytes)
        os.truncate(log, tail_bytes)
        with log.open("ab") as stream:
            stream.write(f"\n[{(size - 2 * tail_bytes) >> 20} MiB of this log were left out here]\n".encode() + end)
