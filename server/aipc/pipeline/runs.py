"""The runs of a project, read from their journals: what is running, what ended how, what a kill cut short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aipc.core.plain_data import to_plain
from aipc.core.wording import gate_figures

from .journal import read_journal

State = Literal["running", "passed", "failed", "error", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True)
class RunStage:
    """One stage of a run. ``ok`` is None for a stage without a gate, or one that did not end."""

    name: str
    seconds: float | None
    cached: bool
    ok: bool | None
    gate: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run. ``reference``, ``soc``, ``precision``, ``target`` and ``allow_cpu`` are what starts it again."""

    directory: str
    state: State
    model: str
    reference: str
    soc: str
    precision: str
    target: str
    allow_cpu: bool
    started: float
    """Seconds since 1970."""
    seconds: float
    stages: tuple[RunStage, ...]
    package: str | None
    report: str | None
    """Path of report.html, when there is one."""
    message: str = ""
    """Why it did not end well."""
    calibration: str | None = None
    """What it was quantized with, to start it again."""


def list_runs(root: Path) -> tuple[RunSummary, ...]:
    """Every run below ``root/.aipc/runs``, the newest first."""
    try:
        directories = sorted((root / ".aipc" / "runs").iterdir(), reverse=True)
    except OSError:
        return ()
    summaries = (_readable_summary(directory) for directory in directories)
    return tuple(summary for summary in summaries if summary)


def _readable_summary(directory: Path) -> RunSummary | None:
    """The summary of a run; None where its journal is damaged, as for a directory that is no run."""
    try:
        summary = _summary(directory)
        to_plain(summary)  # whatever stands in it is of the type that it says
        return summary
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        return None


def _summary(directory: Path) -> RunSummary | None:
    events = read_journal(directory)
    start = next((event for event in events if event["event"] == "run started"), None)
    if start is None:
        return None
    state, message = _state(directory, start, events)
    end = next((event for event in reversed(events) if event["event"] == "run done"), None)
    report = directory / "report.html"
    return RunSummary(
        directory=str(directory),
        state=state,
        model=start["model"],
        reference=start.get("reference", start["model"]),
        soc=start["soc"],
        precision=start["precision"],
        target=start["target"],
        allow_cpu=bool(start.get("allow_cpu", False)),
        started=float(start["time"]),
        seconds=round(float(events[-1]["time"]) - float(start["time"]), 3),
        stages=_stages(events),
        package=end.get("package") if end else None,
        report=str(report) if report.is_file() else None,
        message=message,
        calibration=start.get("calibration"),
    )


def _state(directory: Path, start: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> tuple[State, str]:
    for event in reversed(events):
        if event["event"] == "run done":
            return ("passed", "") if event["ok"] else ("failed", _failed_gate(events))
        if event["event"] == "run stopped":
            return ("cancelled" if event["cancelled"] else "error"), event["error"]
    return ("running", "") if _is_held(directory) else ("interrupted", "the process was ended before the run was done")


def _is_held(directory: Path) -> bool:
    """Whether the process that writes this run still lives: it holds the run's lock as long as it does."""
    from filelock import FileLock, Timeout

    lock = FileLock(directory / "running.lock")
    if not (directory / "running.lock").exists():
        return False
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _failed_gate(events: Sequence[Mapping[str, Any]]) -> str:
    gates = [stage.gate for stage in _stages(events) if stage.ok is False]
    return gates[-1] if gates else ""


def _stages(events: Sequence[Mapping[str, Any]]) -> tuple[RunStage, ...]:
    """The stages in order; of one that was done twice, the last time."""
    stages: dict[str, RunStage] = {}
    for event in events:
        if event["event"] == "stage started":
            stages.pop(event["stage"], None)
            stages[event["stage"]] = RunStage(event["stage"], None, False, None)
        elif event["event"] == "stage done":
            record = event["record"]
            gate = record["gate"]
            text = _gate_text(gate) if gate else ""
            ok = gate["ok"] if gate else None
            stages[event["stage"]] = RunStage(event["stage"], record["seconds"], record["cached"], ok, text)
    return tuple(stages.values())


def _gate_text(gate: Mapping[str, Any]) -> str:
    """Of a gate in a journal, where infinities are texts."""
    value = None if gate["value"] is None else float(gate["value"])
    return gate_figures(gate["metric"], value, float(gate["threshold"]), ok=bool(gate["ok"]))
