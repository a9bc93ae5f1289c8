"""Makes artifacts: runs the stages that they take in order, from the cache where it can, each gated and journaled.

Light: imports nothing heavy. All heavy work happens in the jobs that stages start in workers.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import partial
from typing import Any, TypeVar

from aipc.core.cache import DamagedEntryError, Entry, Manifest
from aipc.core.errors import AipcError, QairtError, WorkerCrashedError
from aipc.core.hashing import hash_value
from aipc.core.plain_data import from_plain, to_plain
from aipc.core.types import Event, StageRecord
from aipc.core.wording import gate_text

from .artifacts import Artifact
from .journal import Journal
from .outcome import Outcome
from .run import Done, Run
from .stage import AnyStage, Stage
from .stages import all_stages, stage_order, stages_for
from .versions import versions

A = TypeVar("A", bound=Artifact)

_PLACE = frozenset(field.name for field in fields(Artifact))
"""Fields that say where an artifact is kept, and are not kept with it."""


def run_stages(run: Run, journal: Journal, goals: Collection[type[Artifact]] | None = None) -> tuple[Run, Outcome]:
    """Run the stages that ``goals`` take, or all, until one fails.

    Returns:
        The run with what was made, and how it went.

    Raises:
        AipcError: a stage could not be run. A gate that is not passed is an outcome.
    """
    built, outcome = attempt_stages(run, journal, goals)
    if outcome.error is not None:
        raise outcome.error
    return built, outcome


def attempt_stages(run: Run, journal: Journal, goals: Collection[type[Artifact]] | None = None) -> tuple[Run, Outcome]:
    """The same; what QAIRT refuses as a whole, and a worker that died, are outcomes as well.

    Raises:
        AipcError: a stage could not be run for another reason, such as bad input.
    """

    def on_damage(message: str) -> None:
        journal.write("cache damaged", message=message)
        run.on_event(Event("cache", message))

    run.cache.on_damage = on_damage
    start = run.of(run.variant)
    for _ in all_stages():
        try:
            return _attempt(start, journal, goals)
        except DamagedEntryError as damaged:
            # It is gone now: from the start, so that the stage that made it does so again.
            for primary in [key for key, entry in run.memory.items() if entry.artifact.key == damaged.key]:
                del run.memory[primary]
    return _attempt(start, journal, goals)


class _Cancelled(threading.Event):
    """Set when the request is cancelled, or when what waits for a stage gives up."""

    def __init__(self, request: threading.Event | None) -> None:
        super().__init__()
        self._request = request

    def is_set(self) -> bool:
        return super().is_set() or bool(self._request and self._request.is_set())


def _attempt(run: Run, journal: Journal, goals: Collection[type[Artifact]] | None) -> tuple[Run, Outcome]:
    """Run the stages in their order; one that may be made beside others is waited for where it is needed."""
    cancelled = _Cancelled(run.cancel)
    beside: dict[type[Artifact], tuple[AnyStage, Callable[[], Run]]] = {}
    name = ""
    with ThreadPoolExecutor(max_workers=1) as thread:
        try:
            for stage in all_stages() if goals is None else stages_for(goals):
                for kind in [kind for kind in beside if kind in stage.needs]:
                    run, outcome = _settled(run, *beside.pop(kind))
                    if outcome is not None:
                        return run, outcome
                name = stage.name
                if stage.beside(run):
                    job = thread.submit(_run_stage, replace(run, cancel=cancelled), stage, journal)
                    beside[stage.artifact] = (stage, job.result)
                    continue
                run, failure = _settled(run, stage, partial(_run_stage, run, stage, journal))
                if failure is not None:
                    return _first_failure(run, failure, beside.values())
            for waiting in beside.values():
                run, failure = _settled(run, *waiting)
                if failure is not None:
                    return run, failure
        except BaseException:
            cancelled.set()
            raise
    return run, Outcome(records=run.records, stage=name)


def _first_failure(
    run: Run, failure: Outcome, beside: Iterable[tuple[AnyStage, Callable[[], Run]]]
) -> tuple[Run, Outcome]:
    """The failure of the earliest stage: one that is still being made is before the one that failed."""
    for waiting in beside:
        run, earlier = _settled(run, *waiting)
        if earlier is not None:
            return run, earlier
    return run, replace(failure, records=run.records)


def _settled(run: Run, stage: AnyStage, make: Callable[[], Run]) -> tuple[Run, Outcome | None]:
    """The run with what ``make`` adds to it, and how it ended where the stages end with it."""
    try:
        added = make()
    except (QairtError, WorkerCrashedError) as error:
        return run, Outcome(records=run.records, error=error, stage=stage.name)
    record = added.records[-1]
    if record.gate and not record.gate.ok:
        # What was made since the stage began is left out: it ends here as if it had been made alone.
        return replace(added, cancel=run.cancel), Outcome(records=added.records, failed=record, stage=stage.name)
    records = sorted((*run.records, record), key=lambda item: stage_order(item.name))
    return replace(run, artifacts=run.artifacts.added(added.artifacts[stage.artifact]), records=tuple(records)), None


def _run_stage(run: Run, stage: Stage[A], journal: Journal) -> Run:
    """The run with one artifact more. What another variant has made already is taken without an event."""
    journal.write("stage started", stage=stage.name)
    limited = replace(run, artifacts=run.artifacts.limited(stage.needs))
    key = hash_value({"stage": stage.name, "version": stage.version, "tools": versions(), "key": stage.key(limited)})
    known = run.memory.get(key)
    if known is None:
        run.on_event(Event(stage.name, "started"))
        started = time.perf_counter()
        try:
            artifact, cached = _artifact(limited, stage, key)
        except AipcError as error:
            journal.write("stage failed", stage=stage.name, error=str(error), detail=error.detail)
            raise
        entry = run.memory[key] = Done(artifact, round(time.perf_counter() - started, 4), cached)
    else:
        entry = known
        assert isinstance(entry.artifact, stage.artifact)
        artifact = entry.artifact
    record = StageRecord(
        stage.name, entry.seconds, entry.cached, stage.gate(limited, artifact), stage.note(limited, artifact)
    )
    journal.write("stage done", stage=stage.name, key=artifact.key, record=record)
    if known is None:
        run.on_event(Event(stage.name, _summary(record), 1.0))
    return replace(run, artifacts=run.artifacts.added(artifact), records=(*run.records, record))


def _summary(record: StageRecord) -> str:
    state = "from the cache" if record.cached else f"{record.seconds:.1f} s"
    return f"done ({state})" if record.gate is None or record.gate.ok else f"gate not passed: {gate_text(record.gate)}"


def _artifact(run: Run, stage: Stage[A], primary: str) -> tuple[A, bool]:
    """The artifact of a stage, and whether it came from the cache."""
    if stage.files:
        return _artifact_by_manifest(run, stage, primary)
    key = primary
    if not stage.cached or not run.use_cache:
        if not run.cache.remove(primary):
            key = _unique(primary)  # another process is using that one
    elif entry := run.cache.get(primary, full=stage.installed):
        return _read(stage, primary, entry), True
    return _make(run, stage, key), False


def _artifact_by_manifest(run: Run, stage: Stage[A], primary: str) -> tuple[A, bool]:
    """For a stage that learns only while working which files it depends on."""
    assert stage.files
    manifest = Manifest(run.cache)
    known = manifest.lookup(primary) if run.use_cache else None
    if known and (entry := run.cache.get(known)):
        return _read(stage, known, entry), True
    key = _unique(primary)
    artifact = _make(run, stage, key)
    manifest.record(primary, stage.files(artifact), key)
    return artifact, False


def _make(run: Run, stage: Stage[A], key: str) -> A:
    run.cache.require_sound([Entry(artifact.directory, {}) for artifact in run.artifacts])
    return _read(stage, key, run.cache.put(key, lambda directory: _fields(stage.make(run, directory))))


def _fields(artifact: Artifact) -> Mapping[str, Any]:
    """As plain JSON data for the disk."""
    return {name: value for name, value in to_plain(artifact).items() if name not in _PLACE}


def _read(stage: Stage[A], key: str, entry: Entry) -> A:
    return replace(from_plain(dict(entry.meta), stage.artifact), directory=entry.path, key=key)


def _unique(primary: str) -> str:
    return hash_value({"primary": primary, "unique": uuid.uuid4().hex})
