"""Long calls as jobs: started, asked for, cancelled. They end with the server."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aipc.core.documents import error_document, internal_error
from aipc.core.errors import AipcError, CancelledError, InputError
from aipc.core.plain_data import to_plain
from aipc.core.types import Event

State = Literal["running", "done", "failed", "cancelled"]


@dataclass(slots=True)
class ToolJob:
    """One job. ``answer`` is the tool's own document, an error's included, once it has ended."""

    id: str
    tool: str
    cancel: threading.Event
    started: float
    state: State = "running"
    ended: float | None = None
    last: Event | None = None
    answer: dict[str, Any] | None = None
    end: threading.Event = field(default_factory=threading.Event)

    def document(self) -> dict[str, Any]:
        """What ``job_status`` answers."""
        return {
            "job": self.id,
            "tool": self.tool,
            "state": self.state,
            "seconds": round((self.ended or time.monotonic()) - self.started, 1),
            "progress": to_plain(self.last) if self.last else None,
        }


class Jobs:
    """The jobs of one server."""

    def __init__(self) -> None:
        self._jobs: dict[str, ToolJob] = {}
        self._numbers = itertools.count(1)

    def start(
        self, tool: str, cancel: threading.Event, work: Callable[[Callable[[Event], None]], dict[str, Any]]
    ) -> ToolJob:
        """Start ``work`` in a thread. It takes where to tell of progress, and returns the answer."""
        job = ToolJob(f"{tool}-{next(self._numbers)}", tool, cancel, time.monotonic())
        self._jobs[job.id] = job
        threading.Thread(target=_run, args=(job, work), name=f"aipc {job.id}", daemon=True).start()
        return job

    def get(self, id: str) -> ToolJob:
        """Raises InputError when there is no such job."""
        try:
            return self._jobs[id]
        except KeyError:
            known = ", ".join(self._jobs) or "none has been started"
            raise InputError(f"there is no job {id}", remedy=f"jobs: {known}") from None

    def close(self) -> None:
        """Cancel what is running and wait for its end."""
        for job in self._jobs.values():
            job.cancel.set()
        for job in self._jobs.values():
            job.end.wait(10)


def _run(job: ToolJob, work: Callable[[Callable[[Event], None]], dict[str, Any]]) -> None:
    def on_event(event: Event) -> None:
        job.last = event

    try:
        job.answer = work(on_event)
        job.state = "done"
    except CancelledError as error:
        job.answer, job.state = error_document(error), "cancelled"
    except AipcError as error:
        job.answer, job.state = error_document(error), "failed"
    except Exception as error:
        job.answer, job.state = error_document(internal_error(error)), "failed"
    job.ended = time.monotonic()
    job.end.set()
