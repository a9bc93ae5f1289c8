"""A sweep from its start, or from where it was interrupted, to its document and its page."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aipc.core import plain_data
from aipc.core.cache import storage_errors
from aipc.core.config import load_config
from aipc.core.errors import InputError
from aipc.core.sweeps import Cell, CellResult, CellState, SweepReport
from aipc.core.types import Event
from aipc.core.workers import Limits, WorkerPool
from aipc.pipeline.versions import versions
from aipc.qairt.runtime import require_qairt
from aipc.report.sweep_page import render_sweep

from .._run import OnEvent, ignore
from .cell import CellTask
from .executors import run_here, run_on_dask
from .plan import cells_of, narrowed, not_applicable, selected
from .store import PAGE, RESULT, Store, SweepPlan, new_sweep_directory, sweep_directories, write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """Which cells, and where they run. Empty ``models``, ``socs`` and ``precisions`` stand for the configuration's."""

    models: tuple[str, ...] = ()
    """Names or patterns; with ``resume`` those of the sweep's cells that are gone on with."""
    socs: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    directory: Path | None = None
    """Where the results go; a new one below ``.aipc/sweeps`` by default, with ``resume`` the newest there."""
    resume: bool = False
    retry: bool = False
    """With ``resume``: the cells that were not verified are done again."""
    workers: int = 0
    """Of a Dask cluster on this machine; 0: the cells run in this process, one after another."""
    scheduler: str | None = None
    """Address of a running Dask cluster."""
    cwd: Path | None = None


def run_sweep(
    request: SweepRequest,
    pool: WorkerPool,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> SweepReport:
    """Do every cell that is not finished. The document and the page are written after each.

    Raises:
        InputError: the table has no cells, there is no sweep to go on with, or it is another version's.
        CancelledError: ``cancel`` was set; the sweep can go on later.
        StorageError: the results cannot be written, or another process runs this sweep.
    """
    require_qairt()
    on_event, cancel = on_event or ignore, cancel or threading.Event()
    store, plan = _opened(request)
    with store.running():
        chosen = selected(plan.cells, request.models if request.resume else ())
        for cell in chosen:
            finished = store.result(cell)
            if request.retry and finished and finished.state not in (CellState.VERIFIED, CellState.NOT_APPLICABLE):
                store.forget(cell)
            elif finished is None and (result := not_applicable(cell)):
                store.finish(result)
        report = _write(store, plan)
        pending = {result.cell for result in report.cells if result.state is CellState.PENDING}
        waiting = [_task(store, plan, cell) for cell in chosen if cell in pending]
        total, count = len(plan.cells), len(plan.cells) - len(pending)
        if waiting:
            on_event(Event("sweep", f"{len(waiting)} of {total} cells to do in {store.directory}", count / total))
        for result in _run(request, waiting, pool, on_event, cancel):
            count += 1
            on_event(Event("sweep", f"{count} of {total}: {_line(result)}", count / total))
            report = _write(store, plan)
    return report


def _opened(request: SweepRequest) -> tuple[Store, SweepPlan]:
    cwd = (request.cwd or Path.cwd()).resolve()
    config = load_config(cwd)
    if request.resume:
        directory = cwd / request.directory if request.directory else next(iter(sweep_directories(config.root)), None)
        if directory is None:
            raise InputError(f"{config.root} has no sweep to go on with", remedy="start one with aipc sweep")
        store = Store(directory)
        plan = store.plan()
        if dict(plan.environment) != dict(versions()):
            changed = [name for name, version in versions().items() if plan.environment.get(name) != version]
            raise InputError(
                f"the sweep {directory} was begun with other versions of {', '.join(changed)}",
                remedy="start a new one with aipc sweep; what did not change comes from the cache",
            )
        return store, plan
    table = narrowed(config.sweep, request.models, request.socs, request.precisions)
    plan = SweepPlan(root=str(config.root), table=table, cells=cells_of(config, table), environment=versions())
    place = request.directory or new_sweep_directory(config.root, time.strftime("%Y%m%d-%H%M%S"))
    store = Store(cwd / place)
    store.write_plan(plan)
    return store, plan


def _task(store: Store, plan: SweepPlan, cell: Cell) -> CellTask:
    return CellTask(
        cell=cell,
        directory=str(store.directory),
        root=plan.root,
        cell_seconds=plan.table.cell_seconds,
        keep_packages=plan.table.keep_packages,
        thorough=plan.table.thorough,
    )


def _run(
    request: SweepRequest, tasks: list[CellTask], pool: WorkerPool, on_event: OnEvent, cancel: threading.Event
) -> Iterator[CellResult]:
    if not tasks:
        return iter(())
    if request.workers or request.scheduler:
        limits: Limits = pool.limits
        return run_on_dask(tasks, workers=request.workers, scheduler=request.scheduler, limits=limits, cancel=cancel)
    return run_here(tasks, pool, on_event, cancel)


def _write(store: Store, plan: SweepPlan) -> SweepReport:
    report = store.report(plan)
    with storage_errors(store.directory):
        write_whole(store.directory / RESULT, plain_data.dumps(report))
        write_whole(store.directory / PAGE, render_sweep(report))
    return report


def _line(result: CellResult) -> str:
    cell = result.cell
    message = f": {result.message}" if result.message else ""
    return f"{cell.model} for {cell.soc} in {cell.precision} {result.state.value}{message} ({result.seconds:.0f} s)"
