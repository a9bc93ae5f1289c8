"""Jobs that wait for a core: those of visible files first, then the newest wish."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class _Waiter:
    file: Path
    number: int
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class JobQueue:
    """At most ``slots`` jobs at a time.

    Args:
        slots: how many may run at once.
        is_visible: whether a file is in front of the user now; asked whenever a slot becomes free.
    """

    def __init__(self, slots: int, is_visible: Callable[[Path], bool]) -> None:
        self._free = max(1, slots)
        self._is_visible = is_visible
        self._waiting: list[_Waiter] = []
        self._numbers = itertools.count()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def slot(self, file: Path):  # type: ignore[no-untyped-def]
        """Held while the job of ``file`` runs."""
        waiter = _Waiter(file, next(self._numbers))
        self._waiting.append(waiter)
        self._next()
        try:
            await waiter.ready.wait()
        except BaseException:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            else:
                self._release()
            raise
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        self._free += 1
        self._next()

    def _next(self) -> None:
        while self._free and self._waiting:
            first = max(self._waiting, key=lambda waiter: (self._is_visible(waiter.file), waiter.number))
            self._waiting.remove(first)
            self._free -= 1
            first.ready.set()
