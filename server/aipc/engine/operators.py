"""The operator matrix: measured, rewritten, rechecked."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from aipc.core.workers import WorkerPool, pool_or_new
from aipc.ops import coverage_after_rewrites
from aipc.ops import run as operator_runs

from ._run import OnEvent, ignore


def probe_operators(
    archs: Sequence[str] = (),
    socs: Sequence[str] = (),
    fresh: bool = False,
    output: Path | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> operator_runs.Filled:
    """Measure what each torch operator does on ``archs`` and ``socs`` (every arch by default); write the data file."""
    chips = operator_runs.chips(archs, socs)
    with pool_or_new(pool) as workers:
        return operator_runs.fill(workers, on_event or ignore, cancel, socs=chips, fresh=fresh, path=output)


def rewrite_operators(
    archs: Sequence[str] = (),
    socs: Sequence[str] = (),
    fresh: bool = False,
    data: Path | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> tuple[coverage_after_rewrites.Share, ...]:
    """Measure the variants that do not run once more, rewritten as deploy does it; keep it in the data file."""
    chips = operator_runs.chips(archs, socs) if archs or socs else ()
    with pool_or_new(pool) as workers:
        return coverage_after_rewrites.fill_rewritten(
            workers, on_event or ignore, cancel, socs=chips, fresh=fresh, path=data
        )


def recheck_operators(
    percent: float,
    archs: Sequence[str] = (),
    socs: Sequence[str] = (),
    seed: int | None = None,
    data: Path | None = None,
    pool: WorkerPool | None = None,
    on_event: OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> operator_runs.Rechecked:
    """Measure a random sample of the operator data again and compare."""
    chips = operator_runs.chips(archs, socs) if archs or socs else ()
    with pool_or_new(pool) as workers:
        return operator_runs.recheck(
            workers, on_event or ignore, cancel, percent=percent, socs=chips, seed=seed, path=data
        )
