"""The journal of a run: append-only lines of JSON that survive a kill at any point."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aipc.core.cache import storage_errors
from aipc.core.errors import StorageError
from aipc.core.json import to_plain

_NAME = "journal.jsonl"


class Journal:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with storage_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / _NAME

    def write(self, event: str, **data: Any) -> None:
        """Append one line and see it onto the disk."""
        line = json.dumps({"time": time.time(), "event": event, **to_plain(data)}, default=str)
        with storage_errors(self.directory), self._path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def read_journal(directory: Path) -> list[dict[str, Any]]:
    """Every whole line of a journal; a line that a kill cut short is left out."""
    events = []
    try:
        lines = (directory / _NAME).read_text("utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events


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
