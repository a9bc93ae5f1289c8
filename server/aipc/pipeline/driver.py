"""Runs the stages in order: from the cache where it can, with a gate after each, journaled.

Light: imports nothing heavy. All heavy work happens in the jobs that stages start in workers.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from aipc.core.cache import DamagedEntryError, Entry, Manifest
from aipc.core.errors import AipcError, QairtError, WorkerCrashedError
from aipc.core.hashing import hash_value
from aipc.core.types import Event, StageRecord

from .journal import Journal
from .outcome import Outcome, gate_text
from .stage import Done, Run, Stage
from .stages import all_stages
from .versions import versions


def run_stages(run: Run, journal: Journal, *, until: str | None = None, only: Sequence[str] | None = None) -> Outcome:
    """Run all stages, or those up to ``until``, or those named in ``only``, until one fails.

    Raises:
        AipcError: a stage could not be run. A gate that is not passed is an outcome.
    """
    outcome = attempt_stages(run, journal, until=until, only=only)
    if outcome.error is not None:
        raise outcome.error
    return outcome


def attempt_stages(
    run: Run, journal: Journal, *, until: str | None = None, only: Sequence[str] | None = None
) -> Outcome:
    """The same; what QAIRT refuses as a whole, and a worker that died, are outcomes as well.

    Raises:
        AipcError: a stage could not be run for another reason, such as bad input.
    """

    def on_damage(message: str) -> None:
        journal.write("cache damaged", message=message)
        run.on_event(Event("cache", message))

    run.cache.on_damage = on_damage
    for _ in all_stages():
        try:
            return _attempt(run, journal, until, only)
        except DamagedEntryError as damaged:
            # It is gone now: from the start, so that the stage that made it does so again.
            for primary in [key for key, done in run.done.items() if done.key == damaged.key]:
                del run.done[primary]
            for name in [name for name, entry in run.entries.items() if entry.path.name == damaged.key]:
                del run.entries[name]
    return _attempt(run, journal, until, only)


def _attempt(run: Run, journal: Journal, until: str | None, only: Sequence[str] | None) -> Outcome:
    records: list[StageRecord] = []
    name = ""
    for stage in all_stages():
        if only is not None and stage.name not in only:
            continue
        name = stage.name
        try:
            record = _run_stage(run, stage, journal)
        except (QairtError, WorkerCrashedError) as error:
            return Outcome(records=tuple(records), error=error, stage=name)
        records.append(record)
        if record.gate and not record.gate.ok:
            return Outcome(records=tuple(records), failed=record, stage=name)
        if name == until:
            break
    return Outcome(records=tuple(records), stage=name)


def _run_stage(run: Run, stage: Stage, journal: Journal) -> StageRecord:
    """One stage; what another variant of this run has done already is taken without a word to whoever watches."""
    journal.write("stage started", stage=stage.name)
    primary = hash_value({"stage": stage.name, "version": stage.version, "tools": versions(), "key": stage.key(run)})
    known = run.done.get(primary)
    if known is None:
        run.on_event(Event(stage.name, "started"))
        started = time.perf_counter()
        try:
            key, entry, cached = _entry(run, stage, primary)
        except AipcError as error:
            journal.write("stage failed", stage=stage.name, error=str(error), detail=error.detail)
            raise
        done = Done(key, entry, round(time.perf_counter() - started, 4), cached)
        run.done[primary] = done
    else:
        done = known
    run.keys[stage.name], run.entries[stage.name] = done.key, done.entry
    gate, note = stage.gate(run, done.entry.meta), stage.note(run, done.entry.meta)
    record = StageRecord(stage.name, done.seconds, done.cached, gate, note)
    journal.write("stage done", stage=stage.name, key=done.key, record=record)
    if known is None:
        run.on_event(Event(stage.name, _summary(record), 1.0))
    return record


def _summary(record: StageRecord) -> str:
    state = "from the cache" if record.cached else f"{record.seconds:.1f} s"
    return f"done ({state})" if record.gate is None or record.gate.ok else f"gate not passed: {gate_text(record.gate)}"


def _entry(run: Run, stage: Stage, primary: str) -> tuple[str, Entry, bool]:
    """Key and entry of a stage, and whether it came from the cache."""
    if stage.files:
        return _entry_by_manifest(run, stage, primary)
    key = primary
    if not stage.cached or not run.use_cache:
        if not run.cache.remove(primary):
            key = _unique(primary)  # another process is using that one
    elif entry := run.cache.get(primary, full=stage.installed):
        return primary, entry, True
    run.cache.require_sound(run.entries.values())
    return key, run.cache.put(key, lambda directory: stage.build(run, directory)), False


def _entry_by_manifest(run: Run, stage: Stage, primary: str) -> tuple[str, Entry, bool]:
    """For a stage that learns only while working which files it depends on."""
    assert stage.files
    manifest = Manifest(run.cache)
    known = manifest.lookup(primary) if run.use_cache else None
    if known and (entry := run.cache.get(known)):
        return known, entry, True
    key = _unique(primary)
    run.cache.require_sound(run.entries.values())
    entry = run.cache.put(key, lambda directory: stage.build(run, directory))
    manifest.record(primary, stage.files(entry.meta), key)
    return key, entry, False


def _unique(primary: str) -> str:
    return hash_value({"primary": primary, "unique": uuid.uuid4().hex})
