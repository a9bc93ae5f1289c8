"""Calls of tools written in plain text, for models without tool calling, and for those that fall back to it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from .messages import Message, ToolCall, ToolSpec

_BLOCK = re.compile(r"```(?:tool|json)?[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL)
_TAG = re.compile(r"<tool(?:_call)?>(.*?)(?:</tool(?:_call)?>|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"<think(?:ing)?>(.*?)(?:</think(?:ing)?>|\Z)", re.DOTALL)


def described(tools: Sequence[ToolSpec]) -> str:
    """How to call tools in text: a part of the system message."""
    listed = "\n".join(
        f"- {tool.name}: {tool.description} Arguments (JSON schema): {json.dumps(dict(tool.parameters))}"
        for tool in tools
    )
    return (
        "Call one tool in each reply, by a block of this form and nothing after it:\n\n"
        '```tool\n{"name": "read_source", "arguments": {"file": "model.py"}}\n```\n\n'
        f"The tools:\n{listed}"
    )


def without_thoughts(text: str) -> tuple[str, str]:
    """A reply without the reasoning that some models write into it, and that reasoning."""
    thoughts = "".join(_THOUGHT.findall(text))
    rest = _THOUGHT.sub("", text)
    if "</think>" in rest:  # the opening tag was part of the prompt
        before, _, rest = rest.partition("</think>")
        thoughts += before
    return rest.strip(), thoughts.strip()


def calls_in(text: str, names: Sequence[str]) -> tuple[tuple[ToolCall, ...], str]:
    """The calls that a text contains, and what is wrong where one was meant and cannot be read."""
    problem = ""
    calls: list[ToolCall] = []
    for block in (*_BLOCK.findall(text), *_TAG.findall(text)):
        try:
            value = json.loads(block, strict=False)
        except ValueError as error:
            if '"name"' in block:
                problem = f"the tool call is not JSON: {error}"
            continue
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            if value["name"] not in names:
                problem = f"there is no tool {value['name']!r}; there are {', '.join(names)}"
                continue
            arguments = value.get("arguments", {})
            arguments_text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            calls.append(ToolCall(f"text-{len(calls)}", value["name"], arguments_text))
    return tuple(calls), "" if calls else problem


def as_text(messages: Sequence[Message]) -> tuple[Message, ...]:
    """A conversation without native calls: results become messages of the user."""
    plain = []
    for message in messages:
        if message.role == "tool":
            plain.append(Message("user", f"Result:\n{message.content}"))
        elif message.calls:
            plain.append(Message("assistant", message.content or _written(message.calls)))
        else:
            plain.append(message)
    return tuple(plain)


def _written(calls: Sequence[ToolCall]) -> str:
    return "\n".join(
        f'```tool\n{{"name": "{call.name}", "arguments": {call.arguments or "{}"}}}\n```' for call in calls
    )


def repeats(text: str, *, least: int = 600) -> bool:
    """Whether a text has run into a loop: its end is one short piece over and over."""
    tail = text[-least:]
    if len(tail) < least:
        return False
    for period in range(1, 121):
        if tail[period:] == tail[:-period]:
            return len(set(tail)) > 1 or not tail.isspace()
    lines = [line for line in text[-6000:].splitlines() if line.strip()]
    return len(lines) >= 24 and len(set(lines[-24:])) <= 2
