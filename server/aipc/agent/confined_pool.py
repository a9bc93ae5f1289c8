"""A pool that confines every job that runs the author's or a language model's code; others run unconfined."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aipc.core.errors import AipcError
from aipc.core.jobs import AnyJob, Job
from aipc.core.plain_data import from_plain
from aipc.core.types import Event
from aipc.core.workers import Limits, WorkerPool

from .worker_jobs import CONFINE

WRITABLE, READABLE = ("out",), ("examples",)
"""Arguments of jobs that run the author's code whose paths the sandbox opens."""


class ConfinedPool(WorkerPool):
    """Stands in for a pool wherever the pipeline asks for one.

    Args:
        readable: what confined code may read besides the installed libraries.
        seconds: what one confined job may take.
    """

    def __init__(self, inner: WorkerPool, readable: Sequence[str], seconds: float) -> None:
        self.limits = inner.limits
        self._inner = inner
        self.readable = tuple(readable)
        self._seconds = seconds
        self.tried: list[str] = []
        """What confined code tried and was refused, since the list was last emptied."""
        self.enforced: tuple[str, ...] = ()

    def run(
        self,
        job: AnyJob | str,
        arguments: Mapping[str, Any],
        *,
        on_event: Callable[[Event], None] | None = None,
        limits: Limits | None = None,
        log: Path | None = None,
        cancel: threading.Event | None = None,
    ) -> Any:
        if isinstance(job, str):
            # A function that is in no list may do anything.
            job = Job(job, Any)
        if not job.runs_author_code:
            return self._inner.run(job, arguments, on_event=on_event, limits=limits, log=log, cancel=cancel)
        writable = [str(arguments[name]) for name in WRITABLE if arguments.get(name)]
        readable = [*self.readable, *(str(arguments[name]) for name in READABLE if arguments.get(name))]
        seconds = min(self._seconds, (limits or self.limits).seconds)
        arguments_of_job = {
            "job": job.target,
            "arguments": dict(arguments),
            "readable": readable,
            "writable": writable,
            "seconds": seconds,
        }
        # The job stops itself; this limit is for the case that it cannot.
        outer = replace(limits or self.limits, seconds=seconds + 60)
        try:
            answer = self._inner.run(CONFINE, arguments_of_job, on_event=on_event, limits=outer, log=log, cancel=cancel)
        except AipcError as error:
            from .tried import tried_by

            self.tried += tried_by(error)
            raise
        self.tried += answer["seen"]
        self.enforced = tuple(answer["enforced"])
        try:
            return from_plain(answer["result"], job.result)
        except Exception as error:
            raise AipcError("the confined job's answer is not of its form", detail=str(error)) from error
