"""Work-done progress, for clients that can show it; cancelling it sets an event."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable
from functools import partial
from types import TracebackType

from lsprotocol import types as lsp

from aipc.core.types import Event

from .server import AipcServer


class EditorProgress:
    """``async with Progress(server, title, cancel) as on_event``: without ``cancel``, it offers no button.

    Args:
        token: the client's own, for progress that it asked for and shows itself.
    """

    def __init__(
        self, server: AipcServer, title: str, cancel: threading.Event | None = None, token: str | None = None
    ) -> None:
        self._server, self._title, self._cancel = server, title, cancel
        window = server.client_capabilities.window
        self._has_token = token is not None
        self._token = token or (str(uuid.uuid4()) if window and window.work_done_progress else None)

    async def __aenter__(self) -> Callable[[Event], None]:
        loop = asyncio.get_running_loop()
        token, cancel = self._token, self._cancel
        if token is None:
            return lambda event: None
        work = self._server.work_done_progress
        if not self._has_token:
            await work.create_async(token)
        work.begin(token, lsp.WorkDoneProgressBegin(title=self._title, cancellable=cancel is not None))
        if cancel is not None and (watcher := work.tokens.get(token)):
            watcher.add_done_callback(lambda future: cancel.set() if future.cancelled() else None)

        def on_event(event: Event) -> None:
            message = f"{event.stage}: {event.message}"
            loop.call_soon_threadsafe(partial(work.report, token, lsp.WorkDoneProgressReport(message=message)))

        return on_event

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            work = self._server.work_done_progress
            work.end(self._token, lsp.WorkDoneProgressEnd(message="done"))
            work.tokens.pop(self._token, None)
