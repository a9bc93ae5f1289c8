"""A model's code may never end: after a while the user is asked whether to keep waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from .server import AipcServer

LIMIT_SECONDS = 60.0
KEEP, STOP = "Keep Waiting", "Stop"


@asynccontextmanager
async def asks_to_wait(server: AipcServer, title: str, cancel: threading.Event) -> AsyncIterator[None]:
    """While the block runs longer than the setting ``check.limit`` says, ask; ``cancel`` is set when the user stops it.

    No answer is an answer: the work goes on, and its progress still has a button that stops it.
    """
    seconds = float(server.setting("check.limit", LIMIT_SECONDS))
    task = asyncio.create_task(_ask(server, title, cancel, seconds)) if seconds > 0 else None
    try:
        yield
    finally:
        if task:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _ask(server: AipcServer, title: str, cancel: threading.Event, seconds: float) -> None:
    await asyncio.sleep(seconds)
    message = f"The check of {title} has taken {seconds:g} s and is not finished."
    actions = [lsp.MessageActionItem(KEEP), lsp.MessageActionItem(STOP)]
    parameters = lsp.ShowMessageRequestParams(lsp.MessageType.Warning, message, actions)
    try:
        answer = await server.window_show_message_request_async(parameters)
    except JsonRpcException:
        return  # a client that cannot ask
    if answer is not None and answer.title == STOP:
        cancel.set()
