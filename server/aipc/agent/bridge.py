"""The editor's own language models, asked over the language server."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Mapping
from typing import Any

from aipc.core.errors import CancelledError
from aipc.core.plain_data import to_plain

from .errors import LanguageModelError, LostReplyError
from .messages import Completion, Reply, ToolCall

Call = Callable[[Mapping[str, Any]], "concurrent.futures.Future[Any]"]
_POLL_SECONDS = 0.1
_WORDS = {
    "no-model": (
        "the editor has no language model",
        "install and sign in to an extension that brings one, or set a key",
    ),
    "denied": ("the use of the editor's language models was not allowed", "allow it when the editor asks"),
    "quota": ("the editor's language models have no quota left", "try again later"),
}


class BridgeEndpoint:
    """Sends each completion to the client.

    Args:
        call: sends ``aipc/llm``. cancel_call: tells the client that nobody waits any more.
    """

    secrets: tuple[str, ...] = ()

    def __init__(
        self,
        call: Call,
        cancel_call: Callable[[], None],
        id: str,
        title: str,
        native_tools: bool,
        cancel: threading.Event,
    ) -> None:
        self._call, self._cancel_call, self._id, self._cancel = call, cancel_call, id, cancel
        self._title, self._native = title, native_tools

    @property
    def title(self) -> str:
        return self._title

    @property
    def native_tools(self) -> bool:
        return self._native

    def complete(self, request: Completion, on_delta: Callable[[int], None]) -> Reply:
        from .protocol import as_text, described

        messages, tools = request.messages, request.tools
        if tools and not self._native:
            first, *rest = as_text(messages)
            messages = (type(first)(first.role, f"{first.content}\n\n{described(tools)}"), *rest)
            tools = ()
        params = {
            "id": self._id,
            "messages": to_plain(list(messages)),
            "tools": to_plain(list(tools)),
            "maxTokens": request.max_tokens,
        }
        answer = self._wait(self._call(params), request.seconds)
        return _reply(answer, self._title)

    def _wait(self, future: concurrent.futures.Future[Any], seconds: float) -> Any:
        waited = 0.0
        while True:
            try:
                return future.result(_POLL_SECONDS)
            except (concurrent.futures.TimeoutError, TimeoutError):
                waited += _POLL_SECONDS
                if not self._cancel.is_set() and waited < seconds:
                    continue
                self._cancel_call()
                future.cancel()
                if self._cancel.is_set():
                    raise CancelledError("cancelled") from None
                raise LostReplyError(f"{self._title} did not answer within {seconds:g} seconds") from None
            except concurrent.futures.CancelledError:
                raise CancelledError("cancelled") from None
            except Exception as error:  # the client's own failure, in whatever form it has
                raise LanguageModelError(f"the editor's language model failed: {error}") from error


def _reply(answer: Any, title: str) -> Reply:
    if not isinstance(answer, Mapping):
        raise LanguageModelError("the editor's answer is not an object", remedy="update the extension")
    if error := answer.get("error"):
        kind = str(error.get("kind", "failed"))
        what, remedy = _WORDS.get(kind, (f"the editor's language model failed: {error.get('message', '')}", ""))
        raise LanguageModelError(what, remedy=remedy)
    calls = tuple(
        ToolCall(str(item.get("id") or f"call-{index}"), str(item.get("name", "")), str(item.get("arguments", "")))
        for index, item in enumerate(answer.get("calls") or ())
    )
    return Reply(
        str(answer.get("text") or ""),
        calls,
        str(answer.get("finish") or ("tool_calls" if calls else "stop")),
        answer.get("prompt"),
        answer.get("completion"),
        str(answer.get("model") or title),
    )
