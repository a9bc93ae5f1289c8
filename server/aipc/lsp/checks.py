"""Checks in the background: queued by what is visible, cancelled when the text changes."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from lsprotocol import types as lsp

from aipc import engine, fix
from aipc.core.errors import AipcError, CancelledError
from aipc.core.hashing import hash_file
from aipc.core.types import CheckReport, DeployReport, Finding, Position, Range, Severity
from aipc.core.wording import sentence

from .check_state import CheckState, current_findings, digest, with_accuracy
from .effective import configuration, effective_for
from .node_times import node_shares
from .patience import asks_to_wait
from .progress import EditorProgress
from .queue import JobQueue
from .same_code import with_new_layout
from .saved_results import save_result, saved_result
from .server import AipcServer


@dataclass(slots=True)
class _Job:
    reference: str
    file: Path
    cancel: threading.Event = field(default_factory=threading.Event)


class Checker:
    """Runs the engine's check for models and keeps the results in the server's state."""

    def __init__(self, server: AipcServer) -> None:
        self._server = server
        slots = int(server.setting("check.jobs", 0)) or os.cpu_count() or 1
        self._queue = JobQueue(slots, lambda file: file in server.visible)
        self._jobs: dict[str, _Job] = {}
        self._measuring: set[threading.Event] = set()

    def cancel_for(self, file: Path) -> None:
        """The text of ``file`` changed: what is being checked of it is not worth finishing."""
        for job in self._jobs.values():
            if job.file == file:
                job.cancel.set()

    def cancel_all(self) -> None:
        for cancel in (*(job.cancel for job in self._jobs.values()), *self._measuring):
            cancel.set()

    async def check(
        self, reference: str, file: Path, *, soc: str | None = None, unsaved: Mapping[str, str] | None = None
    ) -> CheckReport | None:
        """Check a model and tell the client to pull its diagnostics again. None when it was cancelled.

        Args:
            unsaved: path -> text of files that are to be read as the editor has them.
        """
        if earlier := self._jobs.get(reference):
            earlier.cancel.set()
        job = self._jobs[reference] = _Job(reference, file)
        self._server.tell_status()
        try:
            async with self._queue.slot(file):
                return None if job.cancel.is_set() else await self._run(job, soc, unsaved or {})
        except CancelledError:
            return None
        finally:
            if self._jobs.get(reference) is job:
                del self._jobs[reference]
            self._server.tell_status()

    async def show_last(self, reference: str) -> bool:
        """Show the result that a model had in an earlier session; whether there is one."""
        if reference in self._server.results or reference in self._jobs:
            return False
        state = await asyncio.to_thread(saved_result, reference)
        if state is None or reference in self._server.results:
            return False
        self._keep(state)
        return True

    async def keep_if_same(self, reference: str, file: Path, texts: Mapping[str, str]) -> bool:
        """Whether a whole result still holds, comments and layout aside; it is then at its present places.

        Args:
            texts: path -> text, of files that an editor holds; others are read from the disk.
        """
        state = self._server.results.get(reference)
        if state is None or not state.settings or reference in self._jobs:
            return False
        if state.settings != asked_for(self._server, reference, file):
            return False
        moved = await self._server.beside(_unless_changed, state, texts)
        if moved is None or self._server.results.get(reference) is not state:
            return False
        self._keep(moved)
        return True

    @property
    def running(self) -> list[str]:
        return list(self._jobs)

    async def _run(self, job: _Job, soc: str | None, unsaved: Mapping[str, str]) -> CheckReport | None:
        """First what QAIRT's validation says, for the squiggles; behind it what only a full compilation finds.

        Last, the fixes that rules propose are proved.
        """
        server = self._server
        request = engine.CheckRequest(
            job.reference, soc=soc or server.setting("soc", None), cwd=job.file.parent, full=False, unsaved=unsaved
        )
        report = None
        async with (
            EditorProgress(server, f"Checking {_title(job.reference)}", job.cancel) as on_event,
            asks_to_wait(server, _title(job.reference), job.cancel),
        ):
            for variant in (request, replace(request, full=True)):
                try:
                    report = await asyncio.to_thread(partial(engine.check, variant, server.pool, on_event, job.cancel))
                except CancelledError:
                    raise
                except AipcError as error:
                    self._keep(_failed(job, error, unsaved))
                    server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Error, f"{error}\n{error.detail}"))
                    return None
                state = await asyncio.to_thread(digest, job.reference, report, (), unsaved)
                if variant.full or not self._says_the_same(state):
                    self._keep(state)
                if not report.graph:
                    break
            await self._prove(job, replace(request, full=True), report, on_event)
            await self._finish(job, soc)
        return report

    def _says_the_same(self, state: CheckState) -> bool:
        """Whether what is shown names the same findings: then it stays, with its fixes, until the result is whole."""
        shown = self._server.results.get(state.reference)
        if shown is None or not shown.settings:
            return False
        present = {
            (finding.rule, finding.range)
            for file in shown.texts
            for finding in current_findings(shown, file, state.texts.get(file, ()))
        }
        return present == {(finding.rule, finding.range) for finding in state.findings}

    async def _finish(self, job: _Job, soc: str | None) -> None:
        """The result is whole: what it holds for is remembered, so that a change of comments asks nothing again."""
        state = self._server.results.get(job.reference)
        if state is None or soc is not None:
            return
        files = await asyncio.to_thread(engine.captured_files, state.report)
        if self._server.results.get(job.reference) is state and files:
            whole = replace(state, files=files, settings=asked_for(self._server, job.reference, job.file))
            self._server.results[job.reference] = whole
            await asyncio.to_thread(save_result, whole)

    async def _prove(
        self, job: _Job, request: engine.CheckRequest, report: CheckReport | None, on_event: engine.OnEvent
    ) -> None:
        """Keep those fixes only that hold on this model; the log says why the others do not."""
        server = self._server
        state = server.results.get(job.reference)
        if (
            report is None
            or state is None
            or not any(item.edits for finding in report.findings for item in finding.fixes)
        ):
            return
        try:
            proved = await asyncio.to_thread(
                partial(fix.prove_fixes, request, report, server.pool, on_event, job.cancel)
            )
        except CancelledError:
            raise
        except AipcError as error:
            server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Warning, f"{error}\n{error.detail}"))
            return
        for item in proved.rejected:
            message = f"Not offered for {_title(job.reference)}: {item.fix.title}: {item.why}"
            server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Info, message))
        report = replace(report, findings=proved.findings)
        self._keep(replace(state, report=report, together=proved.together))

    async def deployed(self, reference: str, file: Path, deployment: DeployReport, calibration: str | None) -> None:
        """After a deployment: place its nodes on the lines, with what it found, and measure each node.

        A quantized package was measured by the deployment itself; the times of nodes that a device measured are kept.
        """
        server = self._server
        # Where nodes run does not depend on which of them are kept higher.
        precision = "w8a8" if deployment.precision == "mixed" else deployment.precision
        request = engine.CheckRequest(
            reference, soc=deployment.soc, precision=precision, full=False, cwd=file.parent, calibration=calibration
        )
        cancel = threading.Event()
        self._measuring.add(cancel)
        try:
            async with self._queue.slot(file):
                report = await asyncio.to_thread(partial(engine.check, request, server.pool, None, cancel))
                checked = await asyncio.to_thread(digest, reference, report, tuple(deployment.findings))
                times = node_shares(deployment.device, [node.node for node in report.node_placements])
                checked = replace(checked, latency=times)
                self._keep(checked)
                if deployment.node_accuracy:
                    self._keep(with_accuracy(checked, deployment.node_accuracy))
                    return
                if not server.setting("deploy.nodeAccuracy", True) or not report.graph:
                    return
                async with EditorProgress(server, f"Measuring the nodes of {_title(reference)}") as on_event:
                    measure = partial(engine.node_accuracy, report, server.pool, on_event, cancel)
                    accuracy = await asyncio.to_thread(measure)
        except AipcError as error:
            server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Warning, f"{error}\n{error.detail}"))
            return
        finally:
            self._measuring.discard(cancel)
        if server.results.get(reference) is checked:
            self._keep(with_accuracy(checked, accuracy))

    def _keep(self, checked: CheckState) -> None:
        server = self._server
        server.results[checked.reference] = checked
        server.results_changed()


def asked_for(server: AipcServer, reference: str, file: Path) -> str:
    """What is in effect for a model, as one text; empty while the configuration cannot be read."""
    try:
        model = configuration(file.parent).models.get(reference)
        return repr((effective_for(server, file.parent, reference), model))
    except AipcError:
        return ""


def _unless_changed(state: CheckState, opened_texts: Mapping[str, str]) -> CheckState | None:
    """The result for the present files; None when more than comments and layout of them changed."""
    texts = {}
    try:
        for file in state.texts:
            texts[file] = opened_texts[file] if file in opened_texts else Path(file).read_text("utf-8")
        others = [file for file in state.files if file not in texts]
        if any(hash_file(Path(file)) != state.files[file] for file in others):
            return None
    except (OSError, UnicodeDecodeError):
        return None
    return with_new_layout(state, texts)


def _title(reference: str) -> str:
    return reference.rpartition(":")[2]


def _failed(job: _Job, error: AipcError, unsaved: Mapping[str, str]) -> CheckState:
    """A check that could not be made is a finding too: on its line when that is known, else on the first."""
    place = error.range or Range(str(job.file), Position(1, 0), Position(1, 1))
    finding = Finding(
        "cannot-check", Severity.ERROR, sentence(error.what, error.remedy), place, error.detail[:2000] or None
    )
    report = CheckReport(job.reference, "", "", "", 0, {}, (finding,), {})
    return digest(job.reference, report, (), unsaved)
