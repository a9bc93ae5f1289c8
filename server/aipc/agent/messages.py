"""What goes to a language model and comes back, whoever serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """``arguments`` is the JSON text that the model wrote, which need not be JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str
    calls: tuple[ToolCall, ...] = ()
    """Of an assistant's message."""
    call_id: str = ""
    """Of a tool's message: what it answers."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """``parameters`` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Completion:
    """One request. ``max_tokens`` bounds the reply, reasoning included."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    max_tokens: int
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Reply:
    """``prompt`` and ``completion`` are the endpoint's own counts, None where it tells none.

    ``finish``: ``stop``, ``tool_calls``, ``length`` (cut off), ``refusal`` or ``repetition`` (cut off by us).
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    prompt: int | None = None
    completion: int | None = None
    model: str = ""
    reasoning: str = ""
    notes: tuple[str, ...] = ()
    """What the client did to get it: retries, a fallback to another protocol."""


class Endpoint(Protocol):
    """Answers completions. Raises AipcError (LlmError) where no reply can be had, CancelledError when stopped."""

    @property
    def title(self) -> str:
        """Model and place, for the report; never a key."""

    @property
    def native_tools(self) -> bool:
        """False: tools are described in the text and called by the text protocol."""

    def complete(self, request: Completion, on_delta: Callable[[int], None]) -> Reply:
        """``on_delta`` takes the number of characters received so far."""


@dataclass(frozen=True, slots=True)
class Question:
    """Asked of the user. Without an answer the run goes on as if the answer were no."""

    text: str
    choices: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


Ask = Callable[[Question], "str | None"]
