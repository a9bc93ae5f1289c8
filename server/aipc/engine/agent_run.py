"""Agent: let a language model propose edits; only what passes every gate is offered."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from aipc.agent.bench import Bench
from aipc.agent.budget import Meter
from aipc.agent.client import OpenAIEndpoint, configured, prices
from aipc.agent.loop import Loop, Setup, Watched
from aipc.agent.messages import Ask, Endpoint, Question
from aipc.agent.redact import redactor
from aipc.agent.replay_client import RecordedEndpoint
from aipc.agent.request import AgentRequest
from aipc.agent.scratch import Scratch
from aipc.agent.trace import Recorded, Trace, read_trace
from aipc.agent.verdicts import AgentReport, Budget, Goal, GoalKind
from aipc.agent.visible import visible
from aipc.core.errors import CancelledError, InputError
from aipc.core.files import replace_text
from aipc.core.names import state_path
from aipc.core.types import Event
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.journal import new_run_directory
from aipc.qairt.runtime import require_qairt

from ._judging import judged_request, private_directory
from ._run import OnEvent, ignore


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """For whoever watches. ``kind``: started, step, reply, tool, proposal, gate, verdict, question or done."""

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
        watch: notify what happens, finer than ``on_event``.

    Raises:
        AipcError: the model cannot be found, no endpoint is configured, or a part is missing.
    """
    qairt = require_qairt()
    subject = judged_request(request)
    recorded = _recorded(request)
    cancel = cancel or threading.Event()
    with pool_or_new(pool) as workers, private_directory() as private:
        budget = _priced(request.budget)
        who = _endpoint(request, endpoint, recorded, workers, cancel)
        bench = Bench(subject, workers, private, on_event or ignore, cancel, request.readable, request.seconds)
        directory = state_path(subject.ref.root, "agent", new_run_directory(subject.ref.root).name)
        trace = Trace(directory, redactor(getattr(who, "secrets", ())))
        meter = Meter(budget, before=recorded.seconds if recorded and request.resume else 0.0)

        def notify(event: Watched) -> None:
            if watch:
                watch(
                    AgentEvent(
                        event.kind,
                        event.message,
                        event.round,
                        event.tokens,
                        event.cost,
                        event.seconds,
                        str(directory),
                    )
                )
            elif on_event:
                on_event(Event("agent", f"{event.message} (round {event.round}, {event.tokens} tokens)"))

        try:
            base = bench.open()
        except CancelledError:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        goal = _goal(request.goal, bench)
        trace.write(
            "started",
            model=subject.ref.name,
            reference=subject.ref.reference,
            soc=subject.soc,
            precision=subject.precision,
            goal=goal,
            budget=budget,
            endpoint=who.title,
            qairt=qairt,
            enforced=bench.confined.enforced,
            unreferenced=bench.unreferenced,
            resumes=str(request.resume) if request.resume else None,
            replays=str(request.replay) if request.replay else None,
        )
        notify(Watched("started", f"agent on {subject.ref.name}: {goal.description}", 0, 0, None, 0.0))
        answers = list(recorded.answers) if recorded else []

        def asking(question: Question) -> str | None:
            if answers:
                return answers.pop(0)
            return ask(question) if ask else None

        setup = Setup(
            bench,
            goal,
            meter,
            who,
            trace,
            asking,
            ask is not None or bool(answers),
            notify,
            cancel.is_set,
            request.approximate_db,
            request.agree,
        )
        loop = Loop(setup, Scratch(subject.ref.root, dict(request.unsaved)))
        report = replace(loop.run(base), qairt=qairt)
        if report.ok and report.edits and (request.apply or (request.offer and _accepted(report, asking))):
            report = _write(report, loop.scratch, directory)
        return report


def _accepted(report: AgentReport, ask: Callable[[Question], str | None]) -> bool:
    """Whether the user wants the changes in the files; nobody to ask is a no."""
    diff = visible("".join(report.diffs.values()))
    question = Question(f"{diff}\n{report.words}. Write these changes to your files?", ("yes", "no"), {"diff": diff})
    return (ask(question) or "no").strip().lower() in {"yes", "y"}


def _write(report: AgentReport, scratch: Scratch, directory: Path) -> AgentReport:
    """Write the accepted texts; the files as they were are kept with the trace."""
    for file, text in scratch.texts.items():
        before = scratch.original(Path(file))
        backup = directory / "backup" / scratch.relative(file)
        backup.parent.mkdir(parents=True, exist_ok=True)
        with backup.open("w", encoding="utf-8", newline="") as stream:
            stream.write(before)
        replace_text(Path(file), before, text)
    return replace(report, applied=True, backup=str(directory / "backup"))


def _goal(goal: Goal, bench: Bench) -> Goal:
    """A model that lacks only its example inputs has one goal, whatever was asked for."""
    error = bench.base.error
    if isinstance(error, InputError) and goal.kind is GoalKind.DEPLOY and "forward raised" not in error.what:
        return replace(goal, kind=GoalKind.INPUTS)
    return goal


def _recorded(request: AgentRequest) -> Recorded | None:
    if request.replay and request.resume:
        raise InputError("a trace is either replayed or resumed", remedy="give one of the two")
    path = request.replay or request.resume
    return read_trace(path) if path else None


def _endpoint(
    request: AgentRequest,
    endpoint: Endpoint | None,
    recorded: Recorded | None,
    pool: WorkerPool,
    cancel: threading.Event,
) -> Endpoint:
    if request.replay and recorded:
        return RecordedEndpoint(recorded.replies)
    who = endpoint or OpenAIEndpoint(configured(), pool, cancel)
    return RecordedEndpoint(recorded.replies, who) if recorded else who


def _priced(budget: Budget) -> Budget:
    """The budget with the prices that the user configured, where it has none."""
    if budget.input_price is not None and budget.output_price is not None:
        return budget
    first, second = prices()
    budget = replace(budget, input_price=first, output_price=second)
    if budget.cost is not None and (first is None or second is None):
        raise InputError(
            "a cap on the cost needs the prices of the model's tokens",
            remedy="set AIPC_AGENT_INPUT_PRICE and AIPC_AGENT_OUTPUT_PRICE for a million tokens each",
        )
    return budget
