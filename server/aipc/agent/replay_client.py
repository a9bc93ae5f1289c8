"""An endpoint that answers with recorded replies, then with another endpoint where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .errors import LanguageModelError
from .messages import Completion, Endpoint, Reply


class RecordedEndpoint:
    def __init__(self, replies: Sequence[Reply], then: Endpoint | None = None) -> None:
        self._replies = list(replies)
        self._then = then
        self.secrets: tuple[str, ...] = getattr(then, "secrets", ())

    @property
    def title(self) -> str:
        return self._then.title if self._then else "recorded replies"

    @property
    def native_tools(self) -> bool:
        return self._then.native_tools if self._then else True

    @property
    def recorded(self) -> bool:
        """Whether the next reply is a recorded one."""
        return bool(self._replies)

    def complete(self, request: Completion, on_delta: Callable[[int], None]) -> Reply:
        if self._replies:
            reply = self._replies.pop(0)
            # A recorded count belongs to the recorded request; without one the bound of this request counts.
            return replace(reply)
        if self._then is None:
            raise LanguageModelError("the recorded replies are at their end", remedy="resume with an endpoint")
        return self._then.complete(request, on_delta)
