"""Collect the native log while sessions are opened.

QNN decides what it will ever say when its plug-in is registered, once per process; see ``runtime.qnn_devices``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the native log. ``severity``: 0 verbose, 1 information, 2 warning, 3 error, 4 fatal."""

    severity: int
    location: str
    message: str


@dataclass(slots=True, eq=False)
class LogCapture:
    lines: list[LogLine] = field(default_factory=list)

    def write(self, path: Path) -> None:
        path.write_text("\n".join(f"[{line.severity}] {line.location}: {line.message}" for line in self.lines), "utf-8")


_open: list[LogCapture] = []


@contextmanager
def captured_log() -> Iterator[LogCapture]:
    """Collect the whole QNN log of the sessions that are opened inside the block; blocks may be nested.

    Both the default and the session severity must be 0 for QNN's own lines to come through.
    """
    import onnxruntime

    capture = LogCapture()
    _open.append(capture)
    onnxruntime.set_default_logger_callback(_take, 0)
    onnxruntime.set_default_logger_severity(0)
    try:
        yield capture
    finally:
        _open.remove(capture)
        if not _open:
            onnxruntime.set_default_logger_severity(3)


def _take(severity: int, category: str, logid: str, location: str, message: str) -> None:
    line = LogLine(severity, location, message)
    for capture in _open:
        capture.lines.append(line)
