"""Run one cell: deploy the model, and keep what came of it."""

from __future__ import annotations

import os
import platform
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aipc.core.documents import internal_error
from aipc.core.errors import AipcError, CancelledError
from aipc.core.requests import DeployRequest
from aipc.core.scratch import scratch_directory
from aipc.core.sweeps import Cell, CellResult, CellState
from aipc.core.types import DeployReport, Event, Severity
from aipc.core.wording import gate_text
from aipc.core.workers import WorkerPool

from .._run import OnEvent, ignore
from ..chips import deploy
from .memory import peak_memory
from .store import Store

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTask:
    """One cell with all that a process needs to run it. ``directory``: the sweep's; ``root``: the project's."""

    cell: Cell
    directory: str
    root: str
    cell_seconds: float | None = None
    keep_packages: bool = True
    thorough: bool = False


def run_cell(
    task: CellTask, pool: WorkerPool, on_event: OnEvent | None = None, cancel: threading.Event | None = None
) -> CellResult:
    """The result of a cell; one that is there already is taken as it is. What fails is a result, too.

    Raises:
        CancelledError: ``cancel`` was set. The cell stays pending.
        StorageError: the result cannot be written.
    """
    store, cancel = Store(Path(task.directory)), cancel or threading.Event()
    with store.cell_lock(task.cell, cancel):
        if finished := store.result(task.cell):
            return finished
        worker = f"{platform.node()}:{os.getpid()}"
        store.journal("cell started", task.cell, worker=worker)
        result = replace(_deploy(task, pool, on_event or ignore, cancel, store), worker=worker)
        store.finish(result)
        return result


def _deploy(task: CellTask, pool: WorkerPool, on_event: OnEvent, cancel: threading.Event, store: Store) -> CellResult:
    started = time.perf_counter()
    with peak_memory() as peak, _deadline(task.cell_seconds, cancel) as stop, scratch_directory() as scratch:
        request = DeployRequest(
            model=task.cell.model,
            soc=task.cell.soc,
            precision=task.cell.precision,
            target="simulator",
            cwd=Path(task.root),
            out=None if task.keep_packages else scratch / "package" / task.cell.name,
            probes="all" if task.thorough else "few",
        )
        stage = ""

        def watch(event: Event) -> None:
            nonlocal stage
            stage = event.stage
            on_event(event)

        try:
            report = deploy(request, pool, watch, stop)
            result = result_of(task.cell, report, keep_package=task.keep_packages)
            result = replace(result, report=_keep_reports(report, store, task.cell))
        except CancelledError:
            if cancel.is_set():
                raise
            message = f"the deployment took longer than {task.cell_seconds:g} s, and was at: {stage or 'its start'}"
            result = CellResult(cell=task.cell, state=CellState.TIMEOUT, message=message)
        except AipcError as error:
            result = CellResult(cell=task.cell, state=CellState.ERROR, message=str(error))
        except Exception as error:
            result = CellResult(cell=task.cell, state=CellState.ERROR, message=str(internal_error(error)))
    return replace(result, seconds=round(time.perf_counter() - started, 2), peak_memory_mb=_rounded(peak.megabytes))


def result_of(cell: Cell, report: DeployReport, *, keep_package: bool = True) -> CellResult:
    """A deployment's report as a cell's result."""
    outputs = [item for part in (report.accuracy or {}).values() for item in part]
    worst = min(outputs, key=lambda item: item.sqnr_db, default=None)
    failed = (
        None if report.ok else next((item for item in reversed(report.stages) if item.gate and not item.gate.ok), None)
    )
    return CellResult(
        cell=cell,
        state=CellState.VERIFIED if report.ok else CellState.FAILED,
        message="" if report.ok else _reason(report),
        stage=failed.name if failed else "",
        sqnr_db=worst.sqnr_db if worst else None,
        ideal_fp16_sqnr_db=worst.ideal_fp16_sqnr_db if worst else None,
        placement=report.placement,
        findings=dict(Counter(item.rule for item in report.findings)),
        rewrites=next((item.note for item in report.stages if item.name == "rewrite"), ""),
        remedies=report.remedies,
        stages={item.name: round(item.seconds, 2) for item in report.stages},
        package=report.package if keep_package else None,
    )


def _reason(report: DeployReport) -> str:
    """The stage, and its finding in the author's terms; without one the gate."""
    failed = next((item for item in reversed(report.stages) if item.gate and not item.gate.ok), None)
    stage = f"{failed.name}: " if failed else ""
    worst = next((item for item in report.findings if item.severity is Severity.ERROR), None)
    if worst:
        return f"{stage}{worst.message}"
    return f"{stage}{gate_text(failed.gate)}" if failed and failed.gate else "a gate was not passed"


def _keep_reports(report: DeployReport, store: Store, cell: Cell) -> str | None:
    """Copy the deployment's reports beside the result, so that the sweep's directory can be taken elsewhere."""
    source = Path(report.run) if report.run else None
    directory = store.cell(cell)
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("report.json", "report.html"):
        if source and (source / name).is_file():
            shutil.copyfile(source / name, directory / name)
    page = directory / "report.html"
    return page.relative_to(store.directory).as_posix() if page.is_file() else None


@contextmanager
def _deadline(seconds: float | None, cancel: threading.Event) -> Iterator[threading.Event]:
    """An event that is set when ``cancel`` is, or when the seconds are over."""
    stop, finished = threading.Event(), threading.Event()
    end = time.monotonic() + seconds if seconds else float("inf")

    def watch() -> None:
        while not finished.wait(_POLL_SECONDS):
            if cancel.is_set() or time.monotonic() > end:
                stop.set()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield stop
    finally:
        finished.set()
        watcher.join()


def _rounded(megabytes: float | None) -> float | None:
    return None if megabytes is None else round(megabytes, 1)
