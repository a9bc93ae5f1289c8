"""Measure the catalogue: batches of cases in worker processes, results in a journal, a crash costs one case.

Light: the heavy work is in ``jobs``.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aipc.core.cache import Cache
from aipc.core.errors import AipcError, WorkerCrashedError
from aipc.core.jobs import Job
from aipc.core.types import Event
from aipc.core.workers import Limits, WorkerPool
from aipc.qairt.runtime import require_qairt

from . import worker_jobs
from .journal import ProbeJournal
from .measurements import FAILS, NO_EXPORT, CaseFacts, Described, Measured, ProbeProgress

OnEvent = Callable[[Event], None]

ARCHS: Mapping[int, str] = {
    68: "sm8350",
    69: "sm8450",
    73: "sm8550",
    75: "sm8650",
    79: "sm8750",
    81: "sm8850",
}
"""The chip that stands for each HTP arch: the phone's, which most people have."""

_BATCH = 24
_CASE_SECONDS = 120
_BATCH_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found. ``results`` is keyed by (case, SoC)."""

    cases: tuple[Described, ...]
    socs: tuple[str, ...]
    facts: Mapping[str, CaseFacts]
    results: Mapping[tuple[str, str], Measured]
    seconds: float
    measured: int
    """Results that were measured now, not taken from the journal."""
    host_seconds: Mapping[str, float]
    """SoC -> seconds that its measurements took, all processes together; ``export`` likewise."""


@dataclass(slots=True)
class _State:
    socs: tuple[str, ...]
    journal: ProbeJournal
    fresh: bool
    export_again: bool
    total: int
    on_event: OnEvent
    job: Job[None] = worker_jobs.PROBE
    only: Collection[tuple[str, str]] | None = None
    facts: dict[str, CaseFacts] = field(default_factory=dict)
    results: dict[tuple[str, str], Measured] = field(default_factory=dict)
    measured: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, progress: ProbeProgress) -> None:
        with self.lock:
            if progress.broken:
                self.broken[progress.case] = progress.broken
            if progress.facts is not None:
                self.facts[progress.case] = progress.facts
            if progress.known:
                self.results[progress.case, progress.soc] = self.journal.results[progress.case, progress.soc][1]
            if progress.measured is not None:
                self.results[progress.case, progress.soc] = progress.measured
                self.measured += 1
            fraction = len(self.results) / max(1, self.total)
        if progress.measured is not None:
            content = self.facts[progress.case].content if progress.case in self.facts else ""
            self.journal.write(progress.case, progress.soc, content, progress.measured)
        self.on_event(Event("probe", f"{len(self.results) * 20 // max(1, self.total) * 5} % measured", fraction))


def probe(
    cases: Sequence[Described],
    socs: Sequence[str],
    versions: Mapping[str, str],
    pool: WorkerPool,
    on_event: OnEvent,
    *,
    cancel: threading.Event | None = None,
    fresh: bool = False,
    export_again: bool = False,
    processes: int = 0,
    job: Job[None] = worker_jobs.PROBE,
    only: Collection[tuple[str, str]] | None = None,
) -> Probed:
    """Measure ``cases`` on ``socs``.

    Args:
        versions: what the results depend on; a journal of other versions is not continued.
        fresh: measure again what the journal already has.
        export_again: also export again what the cache already has.
        processes: how many at a time; 0 for the machine's cores, at most 4.
        job: what measures a batch.
        only: the (case, SoC) to measure; all when None.

    Raises:
        AipcError: a case of the catalogue is wrong, the disk is full, or ``cancel`` was set.
    """
    require_qairt()
    started = time.perf_counter()
    cache = Cache()
    total = len(cases) * len(socs) if only is None else len(only)
    state = _State(tuple(socs), ProbeJournal(cache.root, versions), fresh, export_again, total, on_event, job, only)
    names = [case.id for case in cases]
    batches: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    for begin in range(0, len(names), _BATCH):
        batches.put(names[begin : begin + _BATCH])
    stop = cancel or threading.Event()
    errors: list[BaseException] = []

    def work() -> None:
        while not errors and not stop.is_set():
            try:
                batch = batches.get_nowait()
            except queue.Empty:
                return
            try:
                _run_batch(batch, state, versions, str(cache.root), pool, stop)
            except BaseException as error:
                errors.append(error)

    count = processes or min(4, os.cpu_count() or 1)
    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(count, batches.qsize()))]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
    except BaseException:
        stop.set()
        raise
    if errors:
        raise errors[0]
    if state.broken:
        problems = "; ".join(f"{name}: {why}" for name, why in list(state.broken.items())[:5])
        raise AipcError(f"{len(state.broken)} cases of the catalogue do not run in PyTorch: {problems}")
    seconds = {soc: sum(result.seconds for (_, name), result in state.results.items() if name == soc) for soc in socs}
    seconds["export"] = sum(facts.seconds for facts in state.facts.values())
    return Probed(
        tuple(cases),
        tuple(socs),
        state.facts,
        state.results,
        round(time.perf_counter() - started, 1),
        state.measured,
        {name: round(value, 1) for name, value in seconds.items()},
    )


def _run_batch(
    batch: list[str], state: _State, versions: Mapping[str, str], root: str, pool: WorkerPool, cancel: threading.Event
) -> None:
    """Run a batch to its end; a process that dies is replaced, and the case it died at is tried again alone."""
    while batch:
        at = _run_once(batch, state, versions, root, pool, cancel)
        if at is None:
            return
        crashed, _ = at
        again = _run_once([crashed.case], state, versions, root, pool, cancel)
        while again is not None:
            _mark(again[0], again[1], state)
            again = _run_once([crashed.case], state, versions, root, pool, cancel) if again[0].soc else None
        batch = batch[batch.index(crashed.case) + 1 :]


def _run_once(
    batch: list[str], state: _State, versions: Mapping[str, str], root: str, pool: WorkerPool, cancel: threading.Event
) -> tuple[ProbeProgress, str] | None:
    """None when the batch is done, else where its process died and how."""
    current = [ProbeProgress(batch[0])]

    def take(progress: Any) -> None:
        current[0] = progress
        state.add(progress)

    with state.lock:
        finished = {key for key in state.results if key[0] in batch}
    known = {
        key: content for key, content in state.journal.contents(batch).items() if not state.fresh or key in finished
    }
    arguments = {
        "cases": batch,
        "socs": state.socs,
        "known": known,
        "versions": dict(versions),
        "root": root,
        "case_seconds": _CASE_SECONDS,
        "export_again": state.export_again,
        "only": None if state.only is None else {key for key in state.only if key[0] in batch},
    }
    try:
        pool.run(state.job, arguments, on_event=take, limits=Limits(seconds=_BATCH_SECONDS), cancel=cancel)
    except WorkerCrashedError as error:
        return current[0], str(error.what)
    return None


def _mark(at: ProbeProgress, reason: str, state: _State) -> None:
    """The case does this to every process: that is its result."""
    if "SIGALRM" in reason:
        reason = f"no answer within {_CASE_SECONDS} seconds"
    if at.soc:
        state.add(ProbeProgress(at.case, at.soc, measured=Measured(FAILS, f"the compiler or the simulator: {reason}")))
        return
    for soc in state.socs:
        state.add(ProbeProgress(at.case, soc, measured=Measured(NO_EXPORT, f"the exporter: {reason}")))
