"""Agent: let a language model propose edits; only what passes every gate is offered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aipc.agent.messages import Ask, Endpoint
from aipc.agent.results import AgentReport, Budget, Goal
from aipc.core.workers import WorkerPool

from ._run import OnEvent


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """What :func:`agent` is asked for.

    Args:
        apply: write the accepted changes to the files; otherwise only tell them.
        approximate_db: the user's word, given ahead: changes may lower the SQNR in fp32 down to this many dB.
        unsaved: path -> text of files that an editor has not saved.
        replay: a trace whose recorded replies take the place of the model; nothing else is taken from it.
        resume: a trace to go on with; its replies are replayed, then the endpoint is asked.
    """

    model: str
    goal: Goal = field(default_factory=Goal)
    soc: str | None = None
    budget: Budget = field(default_factory=Budget)
    inputs: Mapping[str, str] | None = None
    apply: bool = False
    approximate_db: float | None = None
    cwd: Path | None = None
    unsaved: Mapping[str, str] = field(default_factory=dict)
    replay: Path | None = None
    resume: Path | None = None


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """What happens, for whoever watches. ``kind``: started, step, reply, tool, proposal, gate, verdict, question, done."""

    kind: str
    message: str
    round: int = 0
    tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    trace: str = ""


def agent(
    request: AgentRequest,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
    *,
    endpoint: Endpoint | None = None,
    ask: Ask | None = None,
    watch: Callable[[AgentEvent], None] | None = None,
) -> AgentReport:
    """Let the agent work on a model until the goal is reached or a bound is.

    Args:
        endpoint: who answers; by default the one that the environment names (see ``agent.client``).
        ask: asks the user; without it every question counts as a no.
        watch: told what happens, finer than ``on_event``.

    Raises:
        AipcError: the model cannot be found, no endpoint is configured, or a part is missing.
    """
    raise NotImplementedError
