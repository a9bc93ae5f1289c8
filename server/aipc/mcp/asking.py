"""Pushing to a device asks: the user's own client, never the agent."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from aipc.core.errors import AipcError

from .tool import Call, Tool, device_of

_KEY = "push"


class UserRefusedError(AipcError):
    """The user did not agree, or could not be asked."""


async def ask(
    context: ServerRequestContext[Any],
    parameters: types.CallToolRequestParams,
    tool: Tool,
    call: Call,
    allowed: Sequence[str],
) -> types.InputRequiredResult | None:
    """Have the user confirm the use of a device; None when the call may go on, else the question to answer first.

    A set-up is asked for each time: what the user allowed beforehand is to push and to run.

    Raises:
        RefusedError: the user declined, or the client cannot ask.
    """
    target = device_of(tool, call)
    known = target is not None and any(fnmatch.fnmatchcase(target, pattern) for pattern in allowed)
    if target is None or (known and not call.get("setup")):
        return None
    if not _can_ask(context.session.client_capabilities):
        raise UserRefusedError(
            f"using {target} needs the user's word, and this client cannot ask",
            remedy=_SET_UP_BY_HAND.format(target=target)
            if call.get("setup")
            else f"the user may allow it where the server is configured: aipc mcp --allow-target {target}",
        )
    question = types.ElicitRequestFormParams(message=_message(tool, call, target), requested_schema=_SCHEMA)
    if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        answer = (parameters.input_responses or {}).get(_KEY)
        mark = _mark(tool.name, target, call.arguments)
        if not isinstance(answer, types.ElicitResult) or parameters.request_state != mark:
            request = types.ElicitRequest(params=question)
            return types.InputRequiredResult(input_requests={_KEY: request}, request_state=mark)
    else:
        answer = await context.session.elicit_form(question.message, _SCHEMA, context.request_id)
    if answer.action != "accept" or not (answer.content or {}).get("push"):
        raise UserRefusedError(f"the user did not agree to use {target}", remedy="use the simulator, or ask again")
    return None


_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"push": {"type": "boolean", "title": "Agree", "description": "Do this with the device."}},
    "required": ["push"],
}
_SET_UP_BY_HAND = "the user sets {target} up with aipc deploy --target {target} --setup"


def _message(tool: Tool, call: Call, target: str) -> str:
    what = call.get("model") or call.get("package") or "a package"
    doing = tool.doing.format(what=what, target=target)
    more = ", installing what it lacks in a directory of its own there" if call.get("setup") else ""
    return f"{tool.name} wants to {doing}{more}. Do you agree?"


def _can_ask(capabilities: types.ClientCapabilities | None) -> bool:
    """A bare ``elicitation: {}`` counts as support of forms."""
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _mark(tool: str, target: str, arguments: Mapping[str, Any]) -> str:
    """Ties an answer to the very call that it was given for."""
    text = json.dumps([tool, target, arguments], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
