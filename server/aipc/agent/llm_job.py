"""The job that asks an endpoint over the ``openai`` SDK, which is imported here only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aipc.core.errors import MissingDependencyError
from aipc.core.types import Event

from .client import Settings
from .errors import LanguageModelError, LostReplyError, PromptTooLongError
from .messages import Completion, Message, Reply, ToolCall, ToolSpec
from .protocol import as_text, described, repeats

_CONNECT_SECONDS = 20.0
_SILENCE_SECONDS = 120.0
_OVERRUN = 1.25
_CHUNKS_A_LOOK = 16


def complete(report: Callable[[Event], None], *, settings: Settings, request: Completion) -> Reply:
    """One request, adapted to what the endpoint turns out to take.

    Raises:
        LanguageModelError: no reply; the SDK has retried what can be retried.
        MissingDependencyError: the SDK is not installed.
    """
    try:
        import openai
    except ImportError as error:
        raise MissingDependencyError(
            "the openai library is not installed", remedy=f"run {sys.executable} -m pip install 'openai>=1.60'"
        ) from error

    client = openai.OpenAI(
        base_url=settings.url,
        api_key=settings.key or "none",
        max_retries=settings.retries,
        timeout=openai.Timeout(min(_SILENCE_SECONDS, request.seconds), connect=_CONNECT_SECONDS),
    )
    deadline = time.monotonic() + request.seconds
    options = _Options(settings.limit_name, settings.native_tools, settings.stream)
    while True:
        try:
            return _Asking(client, settings, request, options, deadline, report).ask()
        except openai.BadRequestError as error:
            if not options.adapt(_error_text(error), request):
                raise _refused(error, settings) from error
        except openai.APIError as error:
            raise _refused(error, settings) from error
        except Exception as error:
            if not type(error).__module__.startswith(("httpx", "httpcore", "json")):
                raise
            # The SDK retries until a stream begins, not what breaks in the middle of it.
            raise LostReplyError(f"the reply of {settings.model} broke off", detail=str(error)) from error


class _Options:
    """What is sent. ``notes``: how it differs from what was asked for first."""

    def __init__(self, limit_name: str, tools: bool, stream: bool) -> None:
        self.limit_name, self.tools, self.stream, self.usage = limit_name, tools, stream, True
        self.notes: list[str] = []

    def adapt(self, complaint: str, request: Completion) -> bool:
        """Change what an endpoint said that it does not take. False when nothing is left to change."""
        if "max_completion_tokens" in complaint and self.limit_name == "max_tokens":
            self.limit_name = "max_completion_tokens"
            self.notes.append("use max_completion_tokens")
        elif "stream_options" in complaint and self.usage:
            self.usage = False
            self.notes.append("no usage while streaming")
        elif "tool" in complaint and self.tools and request.tools:
            self.tools = False
            self.notes.append("no tools")
        elif "stream" in complaint and self.stream:
            self.stream = False
            self.notes.append("no streaming")
        else:
            return False
        return True


class _Asking:
    def __init__(
        self,
        client: Any,
        settings: Settings,
        request: Completion,
        options: _Options,
        deadline: float,
        report: Callable[[Event], None],
    ) -> None:
        self._client, self._settings, self._request = client, settings, request
        self._options, self._deadline, self._report = options, deadline, report

    def ask(self) -> Reply:
        options, request = self._options, self._request
        messages = request.messages
        arguments: dict[str, Any] = {"model": self._settings.model, options.limit_name: request.max_tokens}
        if request.tools and options.tools:
            arguments["tools"] = [_tool(tool) for tool in request.tools]
        elif request.tools:
            messages = _with_tools(messages, request.tools)
        arguments["messages"] = [_message(item) for item in messages]
        if not options.stream:
            return self._whole(self._client.chat.completions.create(**arguments))
        if options.usage:
            arguments["stream_options"] = {"include_usage": True}
        stream = self._client.chat.completions.create(stream=True, **arguments)
        try:
            return self._streamed(stream)
        finally:
            stream.close()

    def _whole(self, answer: Any) -> Reply:
        if not answer.choices:
            raise LanguageModelError(f"{self._settings.model} answered without a choice", remedy="try another endpoint")
        choice = answer.choices[0]
        message = choice.message
        calls = tuple(
            ToolCall(item.id or f"call-{index}", item.function.name or "", item.function.arguments or "")
            for index, item in enumerate(message.tool_calls or ())
            if item.function
        )
        refusal = getattr(message, "refusal", None)
        reasoning = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None) or ""
        return self._reply(
            refusal or message.content or "",
            calls,
            "refusal" if refusal else _finish(choice.finish_reason),
            answer.usage,
            answer.model,
            reasoning,
        )

    def _streamed(self, stream: Iterator[Any]) -> Reply:
        text, reasoning, refusal, model = [], [], [], ""
        calls: dict[int, list[str]] = {}
        finish, usage, chunks, size = "", None, 0, 0
        for chunk in stream:
            model = chunk.model or model
            usage = chunk.usage or usage
            if time.monotonic() > self._deadline:
                finish = "length"
                break
            for choice in chunk.choices[:1]:
                delta = choice.delta
                finish = choice.finish_reason or finish
                text.append(delta.content or "")
                refusal.append(getattr(delta, "refusal", None) or "")
                thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
                reasoning.append(thought if isinstance(thought, str) else "")
                for item in delta.tool_calls or ():
                    known = calls.setdefault(item.index, ["", "", ""])
                    known[0] = item.id or known[0]
                    if item.function:
                        known[1] += item.function.name or ""
                        known[2] += item.function.arguments or ""
                        size += len(item.function.arguments or "")
                size += len(text[-1]) + len(reasoning[-1])
                chunks += 1
            if chunks % _CHUNKS_A_LOOK == 0:
                self._report(Event("agent", str(size)))
                if repeats("".join(text)) or repeats("".join(reasoning)):
                    finish = "repetition"
                    break
            if chunks > self._request.max_tokens * _OVERRUN + _CHUNKS_A_LOOK:
                finish = "length"  # the endpoint does not keep to max_tokens
                break
        if not finish:
            raise LostReplyError(f"the reply of {self._settings.model} ended without its end")
        tool_calls = tuple(
            ToolCall(item[0] or f"call-{index}", item[1], item[2]) for index, item in sorted(calls.items())
        )
        refusal_text = "".join(refusal)
        kind = "refusal" if refusal_text else _finish(finish)
        return self._reply(refusal_text or "".join(text), tool_calls, kind, usage, model, "".join(reasoning))

    def _reply(
        self, text: str, calls: tuple[ToolCall, ...], finish: str, usage: Any, model: str, thought: str
    ) -> Reply:
        prompt = getattr(usage, "prompt_tokens", None)
        completion = getattr(usage, "completion_tokens", None)
        notes = tuple(self._options.notes)
        return Reply(text, calls, finish, prompt, completion, model or self._settings.model, thought, notes)


def _finish(reason: str | None) -> str:
    known = {"tool_calls": "tool_calls", "function_call": "tool_calls", "length": "length", "content_filter": "refusal"}
    return reason if reason == "repetition" else known.get(reason or "stop", "stop")


def _message(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        plain["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    if message.role == "tool":
        plain["tool_call_id"] = message.call_id
    return plain


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _with_tools(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> tuple[Message, ...]:
    first, *rest = as_text(messages)
    return (Message(first.role, f"{first.content}\n\n{described(tools)}"), *rest)


def _error_text(error: Any) -> str:
    return f"{getattr(error, 'message', '')} {getattr(error, 'body', '')}".lower()


def _refused(error: Any, settings: Settings) -> LanguageModelError:
    import openai

    reason, name = _error_text(error), settings.model
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return LanguageModelError(f"the endpoint does not accept the key for {name}", remedy="check AIPC_AGENT_API_KEY")
    if isinstance(error, openai.NotFoundError):
        return LanguageModelError(f"the endpoint knows no model {name}", remedy="check AIPC_AGENT_MODEL and the URL")
    if isinstance(error, openai.RateLimitError):
        return LanguageModelError(
            f"{name} is rate-limited, also after {settings.retries} retries", remedy="try again later"
        )
    if isinstance(error, openai.APITimeoutError):
        return LostReplyError(f"{name} did not answer in time", remedy="try again, or use a faster endpoint")
    if isinstance(error, openai.APIConnectionError):
        return LostReplyError(f"the endpoint of {name} cannot be reached", remedy="check AIPC_AGENT_BASE_URL")
    if "context" in reason and ("length" in reason or "window" in reason or "maximum" in reason):
        return PromptTooLongError(
            f"the conversation is too long for {name}", remedy="use a model with a longer context"
        )
    lines = str(getattr(error, "message", error)).strip().splitlines()
    return LanguageModelError(f"the endpoint of {name} failed: {lines[0][:200] if lines else type(error).__name__}")
