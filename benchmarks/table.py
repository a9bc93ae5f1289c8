"""The measurements as Markdown, and the place in a page where they stand."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Row:
    case: str
    command: str
    state: str
    seconds: float
    peak_mb: float
    status: int | None
    stages: Mapping[str, float]
    bare_seconds: float | None = None
    """What the bare minimum took for the same model in the same run."""


def markdown(rows: Sequence[Row]) -> str:
    """One line a measurement; the ratio is to the bare minimum's whole time."""
    lines = [
        "| model | command | state | seconds | x bare | peak MB | by stage, s |",
        "| --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        ratio = f"{row.seconds / row.bare_seconds:.2f}" if row.bare_seconds else ""
        seconds = f"{row.seconds:.2f}" if row.status is not None else f"gave up at {row.seconds:.0f}"
        note = "" if row.status in (0, None) else f" (exit {row.status})"
        stages = ", ".join(f"{name} {spent:.2f}" for name, spent in row.stages.items() if spent >= 0.005)
        cells = [row.case, row.command, row.state, seconds + note, ratio, f"{row.peak_mb:.0f}", stages]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def machine() -> str:
    """One sentence on where the numbers come from."""
    memory = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{name} {_version(name)}" for name in ("torch", "onnxruntime", "onnxruntime-qnn"))
    load = os.getloadavg()[2] if hasattr(os, "getloadavg") else 0.0
    busy = f"Other jobs used the machine (load {load:.0f}): the seconds are upper bounds. " if load > 4 else ""
    return (
        f"{busy}{_processor()}, {os.cpu_count()} logical cores, {memory:.0f} GiB, {platform.platform(terse=True)}, "
        f"Python {platform.python_version()}, {packages}. "
        "The simulator runs on the CPU: its time says nothing of a device's latency."
    )


def update(page: Path, text: str, name: str = "bench") -> None:
    """Put ``text`` between the page's markers ``<!-- NAME -->`` and ``<!-- /NAME -->``.

    Raises:
        ValueError: the page has no markers.
    """
    content = page.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = content.partition(start)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{page} has no {start} … {end}")
    page.write_text(f"{before}{start}\n{text}\n{end}{after}", encoding="utf-8")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
