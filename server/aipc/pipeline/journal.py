"""A run's directory and its locks; what is written there is a :class:`Journal`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aipc.core.cache import storage_errors
from aipc.core.journal import Journal, read_journal
from aipc.core.names import state_path

__all__ = ["Journal", "new_run_directory", "read_journal", "run_lock"]


def new_run_directory(root: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return state_path(root, "runs", f"{stamp}-{uuid.uuid4().hex[:6]}")


@contextmanager
def run_lock(directory: Path) -> Iterator[None]:
    """Held as long as the process that makes the run lives: a run without it and without an end was killed."""
    from filelock import FileLock

    with storage_errors(directory), FileLock(directory / "running.lock"):
        yield
