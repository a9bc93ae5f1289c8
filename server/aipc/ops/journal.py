"""Every measurement as it is made, one JSON line each, so that a probe that was stopped goes on where it was."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

from aipc.core.cache import storage_errors
from aipc.core.hashing import hash_file, hash_value
from aipc.core.plain_data import from_plain, to_plain

from .measurements import Measured

_JUDGES = ("ops/measure.py", "numerics/node_verdict.py", "qairt/placement.py", "qairt/session.py", "qairt/log.py")


class ProbeJournal:
    """Results by (case, SoC), each with the content that was measured.

    A file of its own for each set of versions and for each text of the code that judges. Safe to use from several
    threads.
    """

    def __init__(self, root: Path, versions: Mapping[str, str]) -> None:
        package = Path(__file__).parents[1]
        judges = [hash_file(package / name) for name in _JUDGES]
        self.path = root / "ops" / f"journal-{hash_value([dict(versions), judges])[:16]}.jsonl"
        self._lock = threading.Lock()
        self.results: dict[tuple[str, str], tuple[str, Measured]] = {}
        if self.path.is_file():
            for line in self.path.read_text("utf-8").split("\n"):
                try:
                    case, soc, content, result = json.loads(line)
                    self.results[case, soc] = (content, from_plain(result, Measured))
                except Exception:
                    continue  # the line that was being written when the process was killed

    def contents(self, cases: Collection[str]) -> dict[tuple[str, str], str]:
        """(case, SoC) -> the content that was measured."""
        with self._lock:
            return {key: content for key, (content, _) in self.results.items() if key[0] in cases}

    def write(self, case: str, soc: str, content: str, measured: Measured) -> None:
        """Raises StorageError: the disk is full or cannot be written."""
        line = json.dumps([case, soc, content, to_plain(measured)], ensure_ascii=False)
        with self._lock, storage_errors(self.path.parent):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # A line that a crash cut short must not swallow this one.
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(f"\n{line}\n")
            self.results[case, soc] = (content, measured)
