"""The record of a run on disk: what machines replay (journal.jsonl) and what people read (trace.md).

Both are written while the run goes on, each line seen onto the disk, so that a run that was killed can be resumed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.cache import storage_errors
from aipc.core.errors import InputError
from aipc.core.plain_data import from_plain, to_plain
from aipc.pipeline.journal import Journal, read_journal
from aipc.source import split_lines

from .messages import Reply
from .redact import redacted
from .trace_page import section

PAGE = "trace.md"


class Trace:
    """Takes events; hides secrets in all of them."""

    def __init__(self, directory: Path, redact: Callable[[str], str]) -> None:
        self.directory = directory
        self._journal = Journal(directory)
        self._redact = redact

    def write(self, event: str, **data: Any) -> None:
        plain = redacted(to_plain(data), self._redact)
        self._journal.write(event, **plain)
        text = section(event, plain)
        if text:
            with storage_errors(self.directory), (self.directory / PAGE).open("a", encoding="utf-8") as stream:
                stream.write(text)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a trace holds for a replay."""

    replies: tuple[Reply, ...]
    answers: tuple[str | None, ...]
    started: Mapping[str, Any]
    end: Mapping[str, Any] | None
    """The event of the run's end; None when it was interrupted."""
    seconds: float


def read_trace(path: Path) -> Recorded:
    """The replies and answers of a trace: its directory, or a file of the same lines.

    Raises:
        InputError: it is not there, or holds no reply.
    """
    events = list(_lines(path)) if path.is_file() else read_journal(path)
    if not events:
        raise InputError(f"{path} is not a trace of the agent", remedy="name the directory that holds journal.jsonl")
    replies, answers = [], []
    for event in events:
        if event.get("event") == "reply":
            try:
                replies.append(from_plain(event["reply"], Reply))
            except Exception as error:
                raise InputError(f"{path} has a reply that cannot be read", detail=str(error)) from error
        elif event.get("event") == "answer":
            answers.append(event.get("answer"))
    started = next((event for event in events if event.get("event") == "started"), {})
    end = next((event for event in events if event.get("event") == "done"), None)
    times = [float(event["time"]) for event in events if "time" in event]
    return Recorded(tuple(replies), tuple(answers), started, end, max(times) - min(times) if times else 0.0)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in split_lines(path.read_text("utf-8")):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def traces(inside: Path) -> list[dict[str, Any]]:
    """The agent's runs below the project that a path lies in, newest first."""
    folder = next((item / ".aipc" / "agent" for item in (inside, *inside.parents) if (item / ".aipc").is_dir()), None)
    if folder is None or not folder.is_dir():
        return []
    records = []
    for directory in folder.iterdir():
        events = read_journal(directory)
        started = next((event for event in events if event.get("event") == "started"), None)
        if started is None:
            continue
        end = next((event for event in events if event.get("event") == "done"), None)
        records.append(
            {
                "trace": str(directory),
                "model": started.get("model"),
                "goal": started.get("goal", {}).get("kind"),
                "stopped": end["report"]["stopped"] if end else None,
                "started": started["time"],
                "page": str(directory / PAGE),
            }
        )
    return sorted(records, key=lambda item: -float(item["started"]))
