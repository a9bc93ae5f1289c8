"""An event loop in a thread of its own, for a device whose steps are called from ordinary code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, TypeVar

from aipc.core.errors import CancelledError

T = TypeVar("T")
_LOOK_SECONDS = 0.2


class BackgroundLoop:
    def __init__(self, cancel: threading.Event) -> None:
        self._cancel = cancel
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="aipc-device", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], *, cancellable: bool = True) -> T:
        """Run a coroutine to its end. Raises CancelledError as soon as the user cancelled."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        while True:
            try:
                return future.result(_LOOK_SECONDS)
            except FutureTimeoutError:
                if future.done():
                    raise
                if cancellable and self._cancel.is_set():
                    future.cancel()
                    raise CancelledError("cancelled") from None

    def close(self) -> None:
        async def end() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()
