"""The largest resident memory of this process and all below it, while something runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_INTERVAL_SECONDS = 0.25
_SHARE = 0.05
"""Of one core that looking may take: a large tree's proportional sizes take milliseconds a process."""


@dataclass(slots=True)
class Peak:
    """``megabytes`` is None until the first sample, and where the system does not tell."""

    megabytes: float | None = None


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Sample for the time of the block. Shared pages count in proportion (PSS) where the system tells."""
    peak, finished = Peak(), threading.Event()
    sampler = threading.Thread(target=_sample, args=(peak, finished), daemon=True)
    sampler.start()
    try:
        yield peak
    finally:
        finished.set()
        sampler.join()


def _sample(peak: Peak, finished: threading.Event) -> None:
    try:
        import psutil
    except ImportError:
        return
    spent = 0.0
    while not finished.wait(max(_INTERVAL_SECONDS, spent / _SHARE)):
        started = time.monotonic()
        with suppress(psutil.Error):
            own = psutil.Process()
            used = sum(_resident(process) for process in (own, *own.children(recursive=True)))
            peak.megabytes = max(peak.megabytes or 0.0, used / 1e6)
        spent = time.monotonic() - started


def _resident(process: object) -> float:
    import psutil

    assert isinstance(process, psutil.Process)
    try:
        full = process.memory_full_info()
        return float(getattr(full, "pss", full.rss))
    except psutil.Error:
        return 0.0
