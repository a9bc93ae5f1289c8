"""A run's directory and its locks; what is written there is a :class:`Journal`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aipc.core.cache import storage_errors
from aipc.core.errors import StorageError
from aipc.core.journal import Journal, read_journal

__all__ = ["Journal", "model_lock", "new_run_directory", "read_journal", "run_lock"]


def new_run_directory(root: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return root / ".aipc" / "runs" / f"{stamp}-{uuid.uuid4().hex[:6]}"


@contextmanager
def run_lock(directory: Path) -> Iterator[None]:
    """Held as long as the process that makes the run lives: a run without it and without an end was killed."""
    from filelock import FileLock

    with storage_errors(directory), FileLock(directory / "running.lock"):
        yield


@contextmanager
def model_lock(root: Path, name: str) -> Iterator[None]:
    """Held while a model is deployed, so that two deployments of it do not write one package."""
    from filelock import FileLock, Timeout

    directory = root / ".aipc" / "locks"
    with storage_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / f"{name}.lock")
        try:
            lock.acquire(timeout=600)
        except Timeout as error:
            raise StorageError(
                f"another deployment of {name} has been running for ten minutes",
                remedy="wait for it or stop it",
            ) from error
    try:
        yield
    finally:
        lock.release()
