"""Journals of runs that were cut short, damaged or written by somebody else: the list of runs is still a list."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from aipc.core.plain_data import dumps
from aipc.pipeline.runs import list_runs

from ..harness import Kind, Shared, damage, dumped, mutate

EVENTS = [
    {"time": 1.0, "event": "run started", "model": "m", "soc": "sm8650", "precision": "fp16", "target": "simulator"},
    {"time": 2.0, "event": "stage started", "stage": "capture"},
    {
        "time": 3.0,
        "event": "stage done",
        "stage": "capture",
        "key": "a" * 64,
        "record": {"name": "capture", "seconds": 1.0, "cached": False, "gate": None, "note": ""},
    },
    {"time": 4.0, "event": "run done", "ok": True, "package": "p", "capsule": None},
]


def trial(random: Random, place: Path, shared: Shared) -> str:
    for number in range(3):
        directory = place / ".aipc" / "runs" / f"run-{number}"
        directory.mkdir(parents=True)
        (directory / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    path = place / ".aipc" / "runs" / "run-1" / "journal.jsonl"
    if random.random() < 0.6:
        events = [mutate(random, event) if random.random() < 0.5 else event for event in EVENTS]
        path.write_text("".join(dumped(event) + "\n" for event in events))
    else:
        damage(random, path)
    runs = list_runs(place)
    dumps({"runs": runs})
    names = {Path(run.directory).name for run in runs}
    return "" if {"run-0", "run-2"} <= names else f"whole runs are not listed: {names}"


KIND = Kind(name="journals", trial=trial, fixed=40)
