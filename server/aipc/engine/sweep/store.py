"""A sweep on disk: its plan, and one directory for each cell, whose result is there whole or not at all.

    DIR/sweep.json                the plan
    DIR/journal.jsonl             when which cell was begun and done, and by which process
    DIR/cells/CELL/result.json    the result; ``report.html`` and ``report.json`` of its deployment beside it
    DIR/result.json, index.html   the document and the page of all cells so far

The lock of a cell is held while it runs, by whatever process runs it; the kernel releases it when that process dies.
"""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cattrs import BaseValidationError

from aipc.core import plain_data
from aipc.core.cache import storage_errors
from aipc.core.errors import CancelledError, InputError, StorageError
from aipc.core.journal import Journal, read_journal
from aipc.core.names import state_path
from aipc.core.sweep_config import SweepConfig
from aipc.core.sweeps import Cell, CellResult, CellState, SweepReport

PLAN, RESULT, PAGE, CELLS = "sweep.json", "result.json", "index.html", "cells"
_LOCK_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """What a sweep is going to do. ``root``: the project's directory."""

    root: str
    table: SweepConfig
    cells: tuple[Cell, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Store:
    """The directory of one sweep."""

    directory: Path

    def write_plan(self, plan: SweepPlan) -> None:
        """Begin a sweep. Raises StorageError where another one is already."""
        if (self.directory / PLAN).exists():
            raise StorageError(f"{self.directory} has a sweep already", remedy="go on with it by --resume")
        with storage_errors(self.directory):
            (self.directory / CELLS).mkdir(parents=True, exist_ok=True)
            write_whole(self.directory / PLAN, plain_data.dumps(plan))

    def plan(self) -> SweepPlan:
        """Raises InputError where there is no sweep that can be read."""
        try:
            return plain_data.loads((self.directory / PLAN).read_text("utf-8"), SweepPlan)
        except FileNotFoundError:
            raise InputError(f"{self.directory} has no sweep", remedy="start one with aipc sweep") from None
        except (OSError, ValueError, BaseValidationError) as error:
            raise InputError(
                f"{self.directory / PLAN} is no sweep of this version of AIPC",
                remedy="start a new one with aipc sweep",
                detail=str(error),
            ) from error

    def cell(self, cell: Cell) -> Path:
        return self.directory / CELLS / cell.name

    def result(self, cell: Cell) -> CellResult | None:
        """What came of a cell; None where it is not finished."""
        try:
            return plain_data.loads((self.cell(cell) / RESULT).read_text("utf-8"), CellResult)
        except (OSError, ValueError, BaseValidationError):
            return None

    def finish(self, result: CellResult) -> None:
        """Write a cell's result in one step."""
        directory = self.cell(result.cell)
        with storage_errors(self.directory):
            directory.mkdir(parents=True, exist_ok=True)
            write_whole(directory / RESULT, plain_data.dumps(result))
        self.journal("cell done", result.cell, state=result.state.value, worker=result.worker)

    def forget(self, cell: Cell) -> None:
        """Make a finished cell one that is done again."""
        shutil.rmtree(self.cell(cell), ignore_errors=True)

    def journal(self, event: str, cell: Cell, **data: str) -> None:
        Journal(self.directory).write(event, cell=cell.name, **data)

    def events(self) -> tuple[Mapping[str, object], ...]:
        """The journal's lines in order: ``event``, ``cell``, ``time``, ``worker``."""
        return tuple(read_journal(self.directory))

    def report(self, plan: SweepPlan) -> SweepReport:
        """The document of all cells as they are now."""
        results = tuple(
            self.result(cell) or CellResult(cell=cell, state=CellState.PENDING, message="not done yet")
            for cell in plan.cells
        )
        counted = [result.state for result in results if result.state is not CellState.NOT_APPLICABLE]
        return SweepReport(
            name=self.directory.name,
            directory=str(self.directory),
            ok=all(state is CellState.VERIFIED for state in counted),
            done=CellState.PENDING not in counted,
            cells=results,
            environment=plan.environment,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Held by the one process that leads this sweep. Raises StorageError where another one does."""
        from filelock import FileLock, Timeout

        with storage_errors(self.directory):
            lock = FileLock(self.directory / "sweep.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise StorageError(
                    f"another process runs the sweep {self.directory}", remedy="wait for it or stop it"
                ) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def cell_lock(self, cell: Cell, cancel: threading.Event) -> Iterator[None]:
        """Held while a cell runs: two processes never run one at the same time. Raises CancelledError."""
        from filelock import FileLock, Timeout

        with storage_errors(self.directory):
            locks = self.directory / "locks"
            locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{cell.name}.lock")
        while True:
            try:
                lock.acquire(timeout=_LOCK_POLL_SECONDS)
                break
            except Timeout:
                if cancel.is_set():
                    raise CancelledError("the sweep was cancelled") from None
        try:
            yield
        finally:
            lock.release()


def sweep_directories(root: Path) -> tuple[Path, ...]:
    """The sweeps of a project, the newest first."""
    try:
        directories = [path for path in (root / ".aipc" / "sweeps").iterdir() if (path / PLAN).is_file()]
    except OSError:
        return ()
    return tuple(sorted(directories, reverse=True))


def new_sweep_directory(root: Path, stamp: str) -> Path:
    return state_path(root, "sweeps", f"{stamp}-{uuid.uuid4().hex[:6]}")


def write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half: under another name, onto the disk, then renamed."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
