"""Checks in the background: one at a time, the newest wish first, cancelled when the text changes."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from aipc import engine
from aipc.core.errors import AipcError, CancelledError
from aipc.core.types import CheckReport, Event, Finding, Position, Range, Severity

from .results import Checked, digest
from .server import AipcServer


@dataclass(slots=True)
class _Job:
    reference: str
    file: Path
    cancel: threading.Event = field(default_factory=threading.Event)


class Checker:
    """Runs the engine's check for models and keeps the results in the server's state."""

    def __init__(self, server: AipcServer) -> None:
        self._server = server
        self._lock = asyncio.Lock()
        self._jobs: dict[str, _Job] = {}

    def cancel_for(self, file: Path) -> None:
        """The text of ``file`` changed: what is being checked of it is not worth finishing."""
        for job in self._jobs.values():
            if job.file == file:
                job.cancel.set()

    async def check(self, reference: str, file: Path, *, soc: str | None = None) -> CheckReport | None:
        """Check a model and tell the client to pull its diagnostics again. None when it was cancelled."""
        if earlier := self._jobs.get(reference):
            earlier.cancel.set()
        job = self._jobs[reference] = _Job(reference, file)
        async with self._lock:
            if job.cancel.is_set():
                return None
            try:
                report = await self._run(job, soc or self._server.setting("soc", None))
            except CancelledError:
                return None
            finally:
                if self._jobs.get(reference) is job:
                    del self._jobs[reference]
        return report

    async def _run(self, job: _Job, soc: str | None) -> CheckReport | None:
        request = engine.CheckRequest(job.reference, soc, cwd=job.file.parent)
        async with progress(self._server, f"Checking {job.reference.rpartition(':')[2]}", job.cancel) as on_event:
            run = partial(engine.check, request, self._server.pool, on_event, job.cancel)
            try:
                report = await asyncio.to_thread(run)
            except CancelledError:
                raise
            except AipcError as error:
                self._keep(job, _failed(job, error))
                self._server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Error, f"{error}\n{error.detail}"))
                return None
        self._keep(job, await asyncio.to_thread(digest, job.reference, report))
        return report

    def _keep(self, job: _Job, checked: Checked) -> None:
        server = self._server
        server.results[job.reference] = checked
        server.generation += 1
        workspace = server.client_capabilities.workspace
        if workspace and workspace.diagnostics and workspace.diagnostics.refresh_support:
            server.workspace_diagnostic_refresh(None)
        if workspace and workspace.inlay_hint and workspace.inlay_hint.refresh_support:
            server.workspace_inlay_hint_refresh(None)


def _failed(job: _Job, error: AipcError) -> Checked:
    """A check that could not be made is a finding too: on its line when that is known, else on the first."""
    place = error.range or Range(str(job.file), Position(1, 0), Position(1, 1))
    message = f"{error.what}. {error.remedy[:1].upper()}{error.remedy[1:]}." if error.remedy else f"{error.what}."
    finding = Finding("cannot-check", Severity.ERROR, message, place, error.detail[:2000] or None)
    report = CheckReport(job.reference, "", "", "", 0, {}, (finding,), {})
    return digest(job.reference, report)


class progress:  # noqa: N801  (a context manager, named as it is used)
    """Work-done progress with a cancel button, for clients that can show it."""

    def __init__(self, server: AipcServer, title: str, cancel: threading.Event) -> None:
        self._server, self._title, self._cancel = server, title, cancel
        window = server.client_capabilities.window
        self._token = str(uuid.uuid4()) if window and window.work_done_progress else None

    async def __aenter__(self) -> Callable[[Event], None]:
        loop = asyncio.get_running_loop()
        token = self._token
        if token is None:
            return lambda event: None
        work = self._server.work_done_progress
        await work.create_async(token)
        work.begin(token, lsp.WorkDoneProgressBegin(title=self._title, cancellable=True, percentage=0))
        watcher = work.tokens.get(token)
        if watcher is not None:
            watcher.add_done_callback(lambda future: self._cancel.set() if future.cancelled() else None)

        def on_event(event: Event) -> None:
            message = f"{event.stage}: {event.message}"
            loop.call_soon_threadsafe(partial(work.report, token, lsp.WorkDoneProgressReport(message=message)))

        return on_event

    async def __aexit__(self, *error: Any) -> None:
        if self._token is not None:
            self._server.work_done_progress.end(self._token, lsp.WorkDoneProgressEnd(message="done"))
