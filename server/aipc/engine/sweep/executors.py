"""Where the cells of a sweep run: one after another in this process, or on the workers of a Dask cluster.

On Dask each worker runs one cell at a time and writes its result itself; the project's directory and the sweep's must
be at the same place on all its machines. A worker that dies loses its cell to another one.
"""

from __future__ import annotations

import importlib
import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from aipc.core.errors import AipcError, CancelledError, InputError, MissingDependencyError, WorkerCrashedError
from aipc.core.plain_data import from_plain, to_plain
from aipc.core.sweeps import CellResult
from aipc.core.workers import Limits, WorkerPool

from .._run import OnEvent
from .cell import CellTask, run_cell

CONNECT_SECONDS = 30.0
_POLL_SECONDS = 0.2
_WITHOUT_CHILDREN = "DASK_DISTRIBUTED__WORKER__DAEMON=False"


def run_here(
    tasks: Sequence[CellTask], pool: WorkerPool, on_event: OnEvent | None, cancel: threading.Event
) -> Iterator[CellResult]:
    """The results in order. Raises CancelledError."""
    for task in tasks:
        if cancel.is_set():
            raise CancelledError("the sweep was cancelled")
        yield run_cell(task, pool, on_event, cancel)


def run_on_dask(
    tasks: Sequence[CellTask], *, workers: int, scheduler: str | None, limits: Limits, cancel: threading.Event
) -> Iterator[CellResult]:
    """The results as they come, from a cluster of ``workers`` on this machine or from the one at ``scheduler``.

    Raises:
        MissingDependencyError: Dask is not installed.
        InputError: nothing answers at ``scheduler``, or its workers may start no processes.
        CancelledError: ``cancel`` was set.
    """
    distributed = _distributed()
    # A worker starts processes of its own: the jobs of its deployments.
    settings = {"distributed.worker.daemon": False, "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS:g}s"}
    with importlib.import_module("dask.config").set(settings):
        if scheduler is None:
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=0,  # the jobs have limits of their own
                dashboard_address=None,
                silence_logs="CRITICAL",
            )
            with cluster, distributed.Client(cluster) as client:
                yield from _results(client, tasks, limits, cancel)
            return
        try:
            client = distributed.Client(scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers at {scheduler}", remedy="start one with: dask scheduler", detail=str(error)
            ) from error
        with client:
            yield from _results(client, tasks, limits, cancel)


def _distributed() -> Any:
    """Dask's library, which has hardly any annotations."""
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise MissingDependencyError(
            "a sweep with --workers or --scheduler needs Dask, which is not installed",
            remedy="pip install 'aipc[sweep]'",
        ) from error


def _results(client: Any, tasks: Sequence[CellTask], limits: Limits, cancel: threading.Event) -> Iterator[CellResult]:
    wait, too_late = _distributed().wait, _distributed().TimeoutError
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except too_late as error:
        raise InputError("the Dask cluster has no workers", remedy="start some with: dask worker") from error
    if any(client.run(is_daemon).values()):
        raise InputError(
            "the Dask workers may start no processes of their own",
            remedy=f"start them with {_WITHOUT_CHILDREN} dask worker …",
        )
    # One cell on a worker at a time, whatever its number of threads.
    waiting = list(reversed(tasks))
    running: dict[Any, CellTask] = {}
    lost: WorkerCrashedError | None = None
    while waiting or running:
        room = max(1, len(client.scheduler_info(n_workers=-1)["workers"])) - len(running)
        for _ in range(min(room, len(waiting))):
            task = waiting.pop()
            future = client.submit(run_on_worker, to_plain(task), to_plain(limits), pure=False)
            running[future] = task
        if cancel.is_set():
            client.cancel(list(running))
            raise CancelledError("the sweep was cancelled")
        try:
            ended = wait(list(running), timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED").done
        except too_late:
            continue
        for future in ended:
            try:
                yield _result(future, running.pop(future))
            except WorkerCrashedError as error:
                lost = error
    if lost:
        raise lost


def _result(future: Any, task: CellTask) -> CellResult:
    try:
        return from_plain(future.result(), CellResult)
    except AipcError:
        raise
    except _distributed().KilledWorker as error:
        raise WorkerCrashedError(
            f"every Dask worker that ran {task.cell.name} died",
            remedy="look at their logs, and go on with aipc sweep --resume",
            detail=str(error),
        ) from error


def run_on_worker(task: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Called on a Dask worker: one cell, as plain data."""
    result = run_cell(from_plain(task, CellTask), _pool(from_plain(limits, Limits)))
    plain: dict[str, Any] = to_plain(result)
    return plain


def is_daemon() -> bool:
    """Called on a Dask worker: whether multiprocessing lets it have no children."""
    return bool(multiprocessing.current_process().daemon)


@lru_cache(maxsize=1)
def _pool(limits: Limits) -> WorkerPool:
    """One for all cells of a Dask worker: its libraries are loaded once."""
    return WorkerPool(limits=limits)
