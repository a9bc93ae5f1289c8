"""Counts what a run uses and keeps it below its caps, before a request is sent.

How many tokens a prompt has is only known afterwards. Before, it is bounded from above: tokens of a byte-level
tokenizer are at least one byte each, and what an earlier request of the same conversation was counted as is known.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .messages import Message, Reply, ToolSpec
from .verdicts import Budget, Usage

_MESSAGE_TOKENS = 16
"""What a chat template puts around one message, at most."""
_PROTOCOL_TOKENS = 512
"""What introduces the tools, in the text protocol or in a template."""
_LEAST_REPLY = 64
"""A reply shorter than this is of no use: the request is not sent."""


class Spent(Exception):  # noqa: N818 - a reason to stop, not an error
    """A cap leaves no room for another request. The text says which."""


@dataclass(slots=True)
class Meter:
    """Of one run, over all its conversations. ``before``: seconds of an earlier part of the run that is resumed."""

    budget: Budget
    requests: int = 0
    prompt: int = 0
    completion: int = 0
    estimated: int = 0
    before: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _known: tuple[int, int] = (0, 0)
    """Messages of the conversation that the last request counted, and as how many tokens."""

    def new_conversation(self) -> None:
        self._known = (0, 0)

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self._started

    @property
    def usage(self) -> Usage:
        return Usage(self.requests, self.prompt, self.completion, self.estimated, round(self.seconds, 2), self.cost())

    def cost(self, prompt: int = 0, completion: int = 0) -> float | None:
        """Of what was used, and of so much more; None without prices."""
        budget = self.budget
        if budget.input_price is None or budget.output_price is None:
            return None
        total = (self.prompt + prompt) * budget.input_price + (self.completion + completion) * budget.output_price
        return total / 1e6

    def bound(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> int:
        """No prompt of these messages has more tokens than this."""
        count, tokens = self._known
        new = messages[count:]
        total = tokens + sum(size_of(message) + _MESSAGE_TOKENS for message in new)
        return total if count else total + _PROTOCOL_TOKENS + sum(_tool_size(tool) for tool in tools)

    def room(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> int:
        """Tokens that the next reply may have.

        Raises:
            Spent: a cap leaves no room for a reply.
        """
        budget, prompt = self.budget, self.bound(messages, tools)
        if self.seconds >= budget.seconds:
            raise Spent(f"the run has taken its {budget.seconds:g} seconds")
        used = self.prompt + self.completion
        room = min(budget.reply_tokens, budget.tokens - used - prompt)
        if room < _LEAST_REPLY:
            raise Spent(
                f"{used} of {budget.tokens} tokens are used, and the next request could take {prompt} and its reply"
            )
        if budget.cost is not None:
            now, with_prompt = self.cost(), self.cost(prompt)
            if now is None or with_prompt is None or budget.output_price is None:
                raise Spent("a cap on the cost needs both prices")
            if budget.output_price > 0:
                room = min(room, int((budget.cost - with_prompt) * 1e6 / budget.output_price))
            if room < _LEAST_REPLY or with_prompt > budget.cost:
                raise Spent(f"{now:.4g} of {budget.cost:g} are spent, and the next request could go beyond")
        return room

    def left(self) -> float:
        """Seconds."""
        return max(0.0, self.budget.seconds - self.seconds)

    def count(self, reply: Reply, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> tuple[int, int]:
        """Count a reply to these messages; what the endpoint does not tell counts as its upper bound."""
        prompt = reply.prompt
        if prompt is None:
            prompt = self.bound(messages, tools)
            self.estimated += prompt
        completion = reply.completion
        if completion is None:
            completion = _reply_size(reply)
            self.estimated += completion
        self.requests += 1
        self.prompt += prompt
        self.completion += completion
        # The reply itself becomes a message; its reasoning does not, so this stays an upper bound.
        self._known = (len(messages), prompt)
        return prompt, completion

    def count_lost(self, messages: Sequence[Message], tools: Sequence[ToolSpec], max_tokens: int) -> None:
        """A request that may have been served although no reply came back counts in full."""
        prompt = self.bound(messages, tools)
        self.requests += 1
        self.prompt += prompt
        self.completion += max_tokens
        self.estimated += prompt + max_tokens


def size_of(message: Message) -> int:
    """Bytes of a message with its calls: at least its tokens."""
    calls = sum(len(call.name.encode()) + len(call.arguments.encode()) + 16 for call in message.calls)
    return len(message.content.encode("utf-8", "replace")) + calls


def _reply_size(reply: Reply) -> int:
    calls = sum(len(call.name.encode()) + len(call.arguments.encode()) + 16 for call in reply.calls)
    return len(reply.text.encode("utf-8", "replace")) + len(reply.reasoning.encode("utf-8", "replace")) + calls


def _tool_size(tool: ToolSpec) -> int:
    import json

    return len(tool.name) + len(tool.description.encode()) + len(json.dumps(dict(tool.parameters))) + _MESSAGE_TOKENS
