"""What a command needs to work: a pool of workers, progress, and a way to be stopped."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from aipc.core.workers import Limits, WorkerPool
from aipc.progress import OnEvent, progress

TIME_LIMIT = 1800.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommandWork:
    """What the engine's functions take beside their request."""

    pool: WorkerPool
    on_event: OnEvent
    cancel: threading.Event


@contextmanager
def working(time_limit: float = TIME_LIMIT, memory_limit: int = 0, *, models: bool = True) -> Iterator[CommandWork]:
    """Workers and progress for the time of the block.

    Ctrl-C and SIGTERM set ``cancel`` and raise KeyboardInterrupt.

    Args:
        time_limit: seconds that one step may take.
        memory_limit: MiB that one step may use; 0 for 85 % of the machine.
        models: whether there is work on models; without it the workers load no PyTorch before the first step.
    """
    # A worker that is ended takes the locks of its libraries with it; multiprocessing's resource tracker,
    # which inherits these options, would warn of that on stderr after the command's end.
    sys.warnoptions.append("ignore:resource_tracker:UserWarning")
    cancel = threading.Event()
    limits = Limits(seconds=time_limit, memory_mb=memory_limit)
    with _interruptible(cancel), progress() as on_event, _pool(limits, models) as pool:
        yield CommandWork(pool, on_event, cancel)


def _pool(limits: Limits, models: bool) -> WorkerPool:
    return WorkerPool(limits=limits) if models else WorkerPool(preload=(), limits=limits)


def with_consent(work: Callable[[bool], T], agreed: bool, *, ask: bool) -> T:
    """Do ``work(agreed)``; a device that lacks something is set up when the user agrees on the terminal."""
    from aipc.targets import SetupNeededError

    try:
        return work(agreed)
    except SetupNeededError as needed:
        if agreed or not ask or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        print(f"{needed.what}. AIPC can bring it, in a directory of its own on the device.", file=sys.stderr)
        print("Set it up now? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise
    return work(True)


@contextmanager
def _interruptible(cancel: threading.Event) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        cancel.set()
        raise KeyboardInterrupt

    saved = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        # A parent that ignores the signal (nohup) wants it ignored; other threads may set no handler.
        if signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(ValueError):
                saved[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in saved.items():
            signal.signal(number, handler)
