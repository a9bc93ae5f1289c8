"""The agent in the editor.

Commands of the client (``workspace/executeCommand``; one argument each, an object):

``aipc.server.agent.start``
    ``{model, uri, goal?: {kind: "finding"|"deploy"|"export"|"inputs", rule?, line?, nodes?}, soc?, id?, workDoneToken?,
    budget?: {tokens?, seconds?, cost?, rounds?, patience?, reply_tokens?, input_price?, output_price?},
    endpoint?: {kind: "editor", title?, nativeTools?} | {kind: "openai", baseUrl, model, key?}, approximateDb?}``.
    ``line`` counts from 1. Without an endpoint the environment's is taken. ``id`` names the run for events and
    cancellation. Answers when the run has ended: ``{report: AgentReport, edit: WorkspaceEdit | null}`` or
    ``{error: {kind, message, remedy, range}}``. The edit has document changes whose annotation ``aipc.agent`` needs
    confirmation, so that applying it opens the refactor preview. The files are read as the editor has them.
``aipc.server.agent.cancel``
    ``{id}``. Cancelling the work-done progress does the same. The start command then answers with
    ``report.stopped == "cancelled"`` and no edit.
``aipc.server.agent.runs``
    ``{uri}``: traces of the project, newest first: ``[{trace, model, goal, stopped, started, page}]``.

Notifications to the client:

``$/progress`` with ``workDoneToken``: ``message`` is one line with rounds, tokens and cost.
``aipc/agent``: ``{id, kind, message, round, tokens, cost, seconds, trace}``; ``kind`` as in ``engine.AgentEvent``.

Requests to the client:

``aipc/llm``
    Only for an endpoint of kind ``editor``: ``{id, messages: [{role: "system"|"user"|"assistant"|"tool", content,
    calls: [{id, name, arguments}], call_id}], tools: [{name, description, parameters}], maxTokens}``. Answers
    ``{text, calls?: [{id, name, arguments}], finish?: "stop"|"length"|"refusal", prompt?: number|null, completion?:
    number|null, model?}``
    or ``{error: {kind: "no-model"|"denied"|"quota"|"failed", message}}``. ``arguments`` is JSON text. Cancelled by the
    notification ``aipc/llmCancel`` ``{id}``.
``aipc/agent/ask``
    ``{id, text, choices: string[], evidence}``; answers ``{answer: string | null}``; null is a no.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from aipc.core.errors import AipcError, InputError
from aipc.core.plain_data import to_plain
from aipc.core.types import Event, Range

from ..documents import AgentAnswer, RunId
from ..plain import plain
from ..progress import EditorProgress
from ..server import AipcServer
from ..uris import to_path
from .commands import answer_error, file_of, untrusted

if TYPE_CHECKING:
    from aipc import engine
    from aipc.agent.messages import Endpoint, Question
    from aipc.agent.verdicts import AgentReport, Budget, Goal

ANNOTATION = "aipc.agent"
_POLL_SECONDS = 0.2


@dataclass(slots=True)
class _Running:
    id: str
    cancel: threading.Event
    loop: asyncio.AbstractEventLoop


def register(server: AipcServer) -> None:
    running: dict[str, _Running] = {}

    @server.command("aipc.server.agent.start")
    async def start(argument: dict[str, Any]) -> Any:
        if not server.trusted:
            return untrusted("the agent")
        from aipc import engine

        job = _Running(argument.get("id") or uuid.uuid4().hex, threading.Event(), asyncio.get_running_loop())
        running[job.id] = job
        try:
            agent_request = _request(server, argument)
            endpoint = _endpoint(server, job, argument.get("endpoint"))
            title = f"Agent on {agent_request.model.rpartition(':')[2]}"
            async with EditorProgress(server, title, job.cancel, argument.get("workDoneToken")) as on_event:
                run = partial(
                    engine.agent,
                    agent_request,
                    server.pool,
                    on_event,
                    job.cancel,
                    endpoint=endpoint,
                    ask=partial(_ask, server, job),
                    watch=partial(_watch, server, job, on_event),
                )
                report = await asyncio.to_thread(run)
        except AipcError as error:
            return answer_error(error)
        finally:
            running.pop(job.id, None)
        edit = workspace_edit(server, report) if report.edits and report.stopped.value != "cancelled" else None
        return AgentAnswer(report=to_plain(report), edit=edit)

    @server.command("aipc.server.agent.cancel")
    async def cancel(argument: dict[str, Any]) -> Any:
        if job := running.get(argument.get("id", "")):
            job.cancel.set()
        return None

    @server.command("aipc.server.agent.runs")
    async def runs(argument: dict[str, Any]) -> Any:
        from aipc.agent.trace import traces

        return await asyncio.to_thread(partial(traces, to_path(argument["uri"])))


def _request(server: AipcServer, argument: Mapping[str, Any]) -> engine.AgentRequest:
    from aipc import engine

    goal = dict(argument.get("goal") or {})
    file = file_of(dict(argument))
    return engine.AgentRequest(
        argument["model"],
        goal=_goal(goal, file),
        soc=argument.get("soc") or server.setting("soc", None),
        budget=_budget(dict(argument.get("budget") or {})),
        approximate_db=argument.get("approximateDb"),
        cwd=file.parent,
        unsaved=_unsaved(server),
    )


def _goal(fields: Mapping[str, Any], file: Path) -> Goal:
    from aipc.agent.verdicts import Goal, GoalKind

    try:
        kind = GoalKind(fields.get("kind", "deploy"))
    except ValueError as error:
        raise InputError(
            f"there is no goal {fields.get('kind')!r}", remedy="use finding, deploy, export or inputs"
        ) from error
    place = str(file) if kind is GoalKind.FINDING else ""
    return Goal(kind, fields.get("rule", ""), place, int(fields.get("line", 0)), tuple(fields.get("nodes", ())))


def _budget(fields: Mapping[str, Any]) -> Budget:
    from aipc.agent.verdicts import Budget

    unknown = sorted(set(fields) - set(Budget.__dataclass_fields__))
    if unknown:
        raise InputError(f"the agent's budget has no {unknown[0]!r}", remedy="use tokens, seconds, cost or rounds")
    return replace(Budget(), **{name: value for name, value in fields.items() if value is not None})


def _unsaved(server: AipcServer) -> dict[str, str]:
    """Open files whose text is another than the disk's."""
    texts = {}
    for document in server.documents.text_documents.values():
        path = to_path(document.uri)
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                same = stream.read() == document.source
        except (OSError, UnicodeDecodeError):
            continue
        if not same and path.suffix == ".py":
            texts[str(path)] = document.source
    return texts


def _endpoint(server: AipcServer, job: _Running, fields: Mapping[str, Any] | None) -> Endpoint | None:
    if not fields:
        return None
    if fields.get("kind") == "editor":
        from aipc.agent.bridge import BridgeEndpoint

        def no_more() -> None:
            job.loop.call_soon_threadsafe(partial(server.protocol.notify, "aipc/llmCancel", {"id": job.id}))

        title = str(fields.get("title") or "the editor's language model")
        native = bool(fields.get("nativeTools", True))
        return BridgeEndpoint(partial(_call, server, job, "aipc/llm"), no_more, job.id, title, native, job.cancel)
    from aipc.agent.client import OpenAIEndpoint, Settings

    settings = Settings(str(fields.get("baseUrl") or ""), str(fields.get("model") or ""), str(fields.get("key") or ""))
    return OpenAIEndpoint(settings, server.pool, job.cancel)


def _call(server: AipcServer, job: _Running, method: str, params: Any) -> concurrent.futures.Future[Any]:
    """A request to the client, from another thread than the loop's."""

    async def send() -> Any:
        return plain(await server.protocol.send_request_async(method, params))

    return asyncio.run_coroutine_threadsafe(send(), job.loop)


def _waited(future: concurrent.futures.Future[Any], cancel: threading.Event) -> Any:
    """The answer, None once the run was cancelled: a question may wait for hours."""
    while not cancel.is_set():
        with suppress(concurrent.futures.TimeoutError, TimeoutError):
            return future.result(_POLL_SECONDS)
    future.cancel()
    return None


def _ask(server: AipcServer, job: _Running, question: Question) -> str | None:
    params = to_plain(question) | RunId(id=job.id)
    try:
        answer = _waited(_call(server, job, "aipc/agent/ask", params), job.cancel)
    except Exception as error:  # a client that knows no such request says so in its own way
        server.window_log_message(
            lsp.LogMessageParams(lsp.MessageType.Warning, f"the question was not answered: {error}")
        )
        return None
    value = answer.get("answer") if isinstance(answer, dict) else None
    return str(value) if value is not None else None


def _watch(server: AipcServer, job: _Running, on_event: engine.OnEvent, event: engine.AgentEvent) -> None:
    job.loop.call_soon_threadsafe(partial(server.protocol.notify, "aipc/agent", to_plain(event) | RunId(id=job.id)))
    cost = "" if event.cost is None else f", cost {event.cost:.4g}"
    on_event(Event("agent", f"{event.message} (round {event.round}, {event.tokens} tokens{cost})"))


def workspace_edit(server: AipcServer, report: AgentReport) -> lsp.WorkspaceEdit:
    """The accepted changes as one edit, each of which needs confirmation: clients show a preview."""
    files: dict[str, list[tuple[Range, str]]] = {}
    for place, text in report.edits:
        files.setdefault(place.file, []).append((place, text))
    changes: list[Any] = []
    for file, edits in files.items():
        lines = server.lines(file)
        document = server.documents.get_text_document(server.documents.uri_of(file))
        identifier = lsp.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
        annotated = [lsp.AnnotatedTextEdit(ANNOTATION, server.to_range(place, lines), text) for place, text in edits]
        changes.append(lsp.TextDocumentEdit(identifier, annotated))
    label = report.accepted[-1].title if report.accepted else "Agent"
    annotation = lsp.ChangeAnnotation(label, needs_confirmation=True, description=_proof(report))
    return lsp.WorkspaceEdit(document_changes=changes, change_annotations={ANNOTATION: annotation})


def _proof(report: AgentReport) -> str:
    """The figures of the proof in one line."""
    proof = report.proof
    if proof is None:
        return report.words
    parts = [f"compiles for {report.soc}"]
    if proof.max_abs is not None:
        parts.append(f"max error {proof.max_abs:.2g}")
    if proof.simulator_sqnr_db is not None:
        parts.append(f"simulator {proof.simulator_sqnr_db:.1f} dB")
    if proof.approximate:
        parts.append("approximate")
    return ", ".join(parts)
