"""Seconds and peak memory of a command's whole process tree."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

INTERVAL = 0.02


@dataclass(frozen=True)
class Measured:
    seconds: float
    peak_mb: float
    status: int | None
    """Exit status; None when the limit ended it."""
    stdout: str
    stderr: str


def measure(command: Sequence[str], cwd: Path, environment: Mapping[str, str], limit: float = 600) -> Measured:
    """Run a command to its end, or to ``limit`` seconds, sampling its memory meanwhile."""
    started = time.monotonic()
    process = subprocess.Popen(
        list(command),
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ended = threading.Event()
    peaks: list[float] = []
    sampler = threading.Thread(target=lambda: peaks.append(_peak(process.pid, ended)))
    sampler.start()
    try:
        stdout, stderr = process.communicate(timeout=limit)
        status: int | None = process.returncode
    except subprocess.TimeoutExpired:
        _end(process.pid)
        stdout, stderr = process.communicate()
        status = None
    seconds = time.monotonic() - started
    ended.set()
    sampler.join()
    return Measured(seconds, peaks[0], status, stdout, stderr)


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _peak(pid: int, ended: threading.Event) -> float:
    peak = spent = 0.0
    # Summing up a large tree takes a while: at the most a tenth of a core is spent on looking.
    while not ended.wait(max(INTERVAL, 9 * spent)):
        started = time.monotonic()
        peak = max(peak, sum(map(_resident, _tree(pid))))
        spent = time.monotonic() - started
    return peak


def _resident(process: psutil.Process) -> float:
    """Megabytes; shared pages in proportion where the system tells (PSS): forks are not counted twice."""
    try:
        full = process.memory_full_info()
        return float(getattr(full, "pss", full.rss)) / 1e6
    except psutil.Error:
        return 0.0


def _end(pid: int) -> None:
    for process in reversed(_tree(pid)):
        try:
            process.kill()
        except psutil.Error:
            continue
