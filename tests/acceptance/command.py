"""The command line as its users run it: a process, its exit status, one JSON document on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Finished:
    status: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def report(self) -> dict[str, Any]:
        """stdout as JSON; nothing else may be on it."""
        try:
            document = json.loads(self.stdout)
        except json.JSONDecodeError as error:
            raise AssertionError(f"stdout is not one JSON document: {self.stdout!r}\n{self.stderr}") from error
        assert isinstance(document, dict)
        return document


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "aipc", *map(os.fspath, arguments)]


def environment(cache: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with a cache of its own and plain, wide output."""
    return {
        **os.environ,
        "AIPC_CACHE_DIR": os.fspath(cache),
        "NO_COLOR": "1",
        "COLUMNS": "400",
        **(extra or {}),
    }


def aipc(
    *arguments: str | Path,
    cwd: Path,
    cache: Path,
    timeout: float = 280,
    extra: Mapping[str, str] | None = None,
) -> Finished:
    """Run one command to its end."""
    started = time.monotonic()
    finished = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(cache, extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Finished(finished.returncode, finished.stdout, finished.stderr, time.monotonic() - started)


def text_of(found: dict[str, Any]) -> str:
    """The source text that a finding's range covers, lines joined by newlines."""
    place = found["range"]
    assert place is not None, f"{found['rule']} has no range: {found['message']}"
    lines = Path(place["file"]).read_text(encoding="utf-8").splitlines()
    start, end = place["start"], place["end"]
    covered = lines[start["line"] - 1 : end["line"]]
    covered[-1] = covered[-1][: end["column"]]
    covered[0] = covered[0][start["column"] :]
    return "\n".join(covered)
