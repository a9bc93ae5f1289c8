"""Runs the stages in order: from the cache where it can, with a gate after each, journaled.

Light: imports nothing heavy. All heavy work happens in the jobs that stages start in workers.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from aipc.core.cache import Entry, Manifest
from aipc.core.errors import AipcError
from aipc.core.hashing import hash_value
from aipc.core.types import Event, Gate, StageRecord

from .corrective import ATTEMPTS, CURABLE
from .journal import Journal
from .stage import Run, Stage, all_stages
from .versions import versions


@dataclass(slots=True)
class Outcome:
    """How the stages went. ``failed`` is the record whose gate stopped the run."""

    records: list[StageRecord] = field(default_factory=list)
    failed: StageRecord | None = None

    @property
    def ok(self) -> bool:
        return self.failed is None


def run_stages(run: Run, journal: Journal, *, until: str | None = None, only: Sequence[str] | None = None) -> Outcome:
    """Run all stages, or those up to ``until``, or those named in ``only``.

    A gate that another capture may cure is tried again with the next of the corrective measures.
    """
    stages = [stage for stage in all_stages() if only is None or stage.name in only]
    outcome = Outcome()
    attempts = list(ATTEMPTS[1:]) if run.request.ref.kind == "python" else []
    position = 0
    while position < len(stages):
        stage = stages[position]
        record = _run_stage(run, stage, journal)
        outcome.records.append(record)
        if record.gate and not record.gate.ok:
            if stage.name in CURABLE and attempts:
                attempt = attempts.pop(0)
                journal.write("corrective", stage=stage.name, measure=attempt.title, gate=record.gate)
                run.on_event(Event(stage.name, f"gate not passed, trying to {attempt.title}"))
                run.strategy, run.opset = attempt.strategy, attempt.opset
                position = 0
                continue
            outcome.failed = record
            return outcome
        if stage.name == until:
            break
        position += 1
    return outcome


def _run_stage(run: Run, stage: Stage, journal: Journal) -> StageRecord:
    run.on_event(Event(stage.name, "started"))
    journal.write("stage started", stage=stage.name)
    started = time.perf_counter()
    try:
        entry, cached = _entry(run, stage)
    except AipcError as error:
        journal.write("stage failed", stage=stage.name, error=str(error), detail=error.detail)
        raise
    run.entries[stage.name] = entry
    gate = stage.gate(run, entry.meta)
    record = StageRecord(stage.name, round(time.perf_counter() - started, 4), cached, gate, stage.note(run, entry.meta))
    journal.write("stage done", stage=stage.name, key=run.keys[stage.name], record=record)
    run.on_event(Event(stage.name, _summary(record), 1.0))
    return record


def _summary(record: StageRecord) -> str:
    state = "from the cache" if record.cached else f"{record.seconds:.1f} s"
    return f"done ({state})" if record.gate is None or record.gate.ok else f"gate not passed: {gate_text(record.gate)}"


def gate_text(gate: Gate) -> str:
    value = "not measured" if gate.value is None else f"{gate.value:.6g}"
    return f"{gate.metric} {value}, wanted {gate.threshold:.6g}{f' ({gate.detail})' if gate.detail else ''}"


def _entry(run: Run, stage: Stage) -> tuple[Entry, bool]:
    primary = hash_value({"stage": stage.name, "version": stage.version, "tools": versions(), "key": stage.key(run)})
    if stage.files:
        return _entry_by_manifest(run, stage, primary)
    run.keys[stage.name] = primary
    if not stage.cached or not run.use_cache:
        run.cache.remove(primary)
    elif entry := run.cache.get(primary):
        return entry, True
    return run.cache.put(primary, lambda directory: stage.build(run, directory)), False


def _entry_by_manifest(run: Run, stage: Stage, primary: str) -> tuple[Entry, bool]:
    """For a stage that learns only while working which files it depends on."""
    assert stage.files
    manifest = Manifest(run.cache)
    known = manifest.lookup(primary) if run.use_cache else None
    if known and (entry := run.cache.get(known)):
        run.keys[stage.name] = known
        return entry, True
    key = hash_value({"primary": primary, "unique": uuid.uuid4().hex})
    entry = run.cache.put(key, lambda directory: stage.build(run, directory))
    run.keys[stage.name] = key
    manifest.record(primary, stage.files(entry.meta), key)
    return entry, False
