"""One conversation with a model: asks within the bounds, and makes a usable turn of whatever comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from aipc.core.errors import AipcError

from . import prompts
from .budget import Meter
from .errors import LanguageModelError, LostReplyError, PromptTooLongError
from .messages import Completion, Endpoint, Message, Reply, ToolCall, ToolSpec
from .protocol import as_text, calls_in, without_thoughts
from .trace import Trace
from .verdicts import Stopped

_MOST_BAD = 4
_MOST_REFUSALS = 2
_MOST_LOST = 2
_OLD = 400


class Ended(Exception):  # noqa: N818 - a result, not an error
    """The run ends here."""

    def __init__(self, stopped: Stopped, reason: str) -> None:
        super().__init__(reason)
        self.stopped = stopped


@dataclass(frozen=True, slots=True)
class Turn:
    """A reply with calls. ``native``: results go back as messages of tools."""

    calls: tuple[ToolCall, ...]
    native: bool


class Talk:
    """Args:
    on_reply: told after each reply, with its number.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        meter: Meter,
        tools: tuple[ToolSpec, ...],
        trace: Trace,
        on_reply: Callable[[str], None],
        messages: tuple[Message, ...],
    ) -> None:
        self._endpoint, self._meter, self._tools, self._trace = endpoint, meter, tools, trace
        self._on_reply = on_reply
        self._messages = list(messages)
        self._written = 0
        self._bad = self._refusals = 0
        self.rounds = 0
        meter.new_conversation()

    def add(self, call: ToolCall, result: str, native: bool) -> None:
        """A tool's answer."""
        message = (
            Message("tool", result, call_id=call.id) if native else Message("user", f"Result of {call.name}:\n{result}")
        )
        self._messages.append(message)

    def say(self, text: str) -> None:
        self._messages.append(Message("user", text))

    def next(self) -> Turn:
        """Ask until a reply has calls of tools.

        Raises:
            Spent: a cap leaves no room. Ended: the model refuses, or gives nothing that can be used.
        """
        while True:
            reply = self._ask()
            self.rounds += 1
            turn, complaint = self._turn(reply)
            if turn is not None:
                self._bad = 0
                return turn
            if reply.finish == "refusal":
                self._refusals += 1
                if self._refusals >= _MOST_REFUSALS:
                    raise Ended(Stopped.REFUSED, f"the model refuses: {reply.text[:200]}")
            else:
                self._bad += 1
                if self._bad >= _MOST_BAD:
                    raise Ended(Stopped.BAD_REPLIES, f"{_MOST_BAD} replies in a row could not be used: {complaint}")
            self.say(complaint)

    def _turn(self, reply: Reply) -> tuple[Turn | None, str]:
        """The calls of a reply, else what to tell the model."""
        text, _ = without_thoughts(reply.text)
        names = [tool.name for tool in self._tools]
        if reply.calls and reply.finish != "repetition":
            calls = tuple(replace(call, id=call.id or f"call-{index}") for index, call in enumerate(reply.calls))
            self._messages.append(Message("assistant", text, calls))
            return Turn(calls, True), ""
        written, problem = calls_in(text, names)
        # A loop's text would fill the prompt, and an empty message is refused by some endpoints.
        text_of_reply = text[:_OLD] if reply.finish in {"repetition", "length"} and not written else text
        self._messages.append(Message("assistant", text_of_reply or "(nothing)"))
        if written:
            return Turn(written, False), ""
        if reply.finish == "refusal":
            return None, prompts.REFUSED
        if reply.finish == "length":
            return None, prompts.CUT.format(tokens=self._meter.budget.reply_tokens)
        if reply.finish == "repetition":
            return None, prompts.REPEATED
        return None, f"{problem}. {prompts.EMPTY}" if problem else prompts.EMPTY

    def _ask(self) -> Reply:
        lost = 0
        shortened = False
        while True:
            messages, tools = self._sent()
            room = self._meter.room(messages, tools)
            request = Completion(messages, tools, room, max(1.0, min(600.0, self._meter.left())))
            number = self._meter.requests + 1
            self._trace.write(
                "request",
                number=number,
                messages=messages[self._written :],
                tools=[tool.name for tool in tools],
                prompt_bound=self._meter.bound(messages, tools),
                max_tokens=room,
            )
            recorded = bool(getattr(self._endpoint, "recorded", False))
            try:
                reply = self._endpoint.complete(request, self._on_delta)
            except PromptTooLongError as error:
                self._trace.write("lost", error=str(error))
                if shortened or not self._shorten():
                    raise Ended(Stopped.ENDPOINT, str(error)) from error
                shortened = True
                continue
            except LostReplyError as error:
                self._meter.count_lost(messages, tools, room)
                self._trace.write("lost", error=str(error))
                lost += 1
                if lost > _MOST_LOST:
                    raise Ended(Stopped.ENDPOINT, str(error)) from error
                continue
            except LanguageModelError as error:
                self._trace.write("lost", error=str(error))
                if not self._meter.requests:
                    raise
                raise Ended(Stopped.ENDPOINT, str(error)) from error
            except AipcError as error:
                self._trace.write("lost", error=str(error))
                raise
            self._written = len(messages)
            prompt, completion = self._meter.count(reply, messages, tools)
            self._trace.write(
                "reply", number=number, reply=reply, prompt=prompt, completion=completion, recorded=recorded
            )
            self._on_reply(f"reply {number}: {completion} tokens")
            return reply

    def _sent(self) -> tuple[tuple[Message, ...], tuple[ToolSpec, ...]]:
        """The messages in the form that the endpoint takes; tools are counted and sent in either form."""
        messages = tuple(self._messages)
        return (messages if self._endpoint.native_tools else as_text(messages)), self._tools

    def _on_delta(self, characters: int) -> None:
        self._on_reply(f"receiving, {characters} characters")

    def _shorten(self) -> bool:
        """Leave out the long answers of tools but the last two. False when there was nothing to leave out."""
        long = [
            index
            for index, message in enumerate(self._messages)
            if index > 1 and message.role in {"tool", "user"} and len(message.content) > _OLD
        ][:-2]
        for index in long:
            message = self._messages[index]
            self._messages[index] = replace(message, content=f"{message.content[:_OLD]}\n[the rest was left out]")
        self._meter.new_conversation()
        self._written = 0
        return bool(long)
