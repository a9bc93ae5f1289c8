"""A journal: append-only lines of JSON that survive a kill at any point."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from .cache import storage_errors
from .plain_data import to_plain

NAME = "journal.jsonl"


class Journal:
    """The file ``name`` in ``directory``, which is made where it is not there. Safe to use from several threads."""

    def __init__(self, directory: Path, name: str = NAME) -> None:
        self.directory = directory
        with storage_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / name
        self._lock = threading.Lock()

    def write(self, event: str, **data: Any) -> None:
        """Append one line and see it onto the disk."""
        line = json.dumps({"time": time.time(), "event": event, **to_plain(data)}, default=str)
        with storage_errors(self.directory), self._lock, self._path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def read_journal(directory: Path, name: str = NAME) -> list[dict[str, Any]]:
    """Every whole line of a journal; a line that a kill cut short is left out."""
    events = []
    try:
        lines = (directory / name).read_text("utf-8", "replace").split("\n")
    except OSError:
        return []
    for line in lines:
        try:
            events.append(json.loads(line))
        except (ValueError, RecursionError):
            continue
    return events
