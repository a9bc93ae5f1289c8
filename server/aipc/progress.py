"""Progress on stderr: a bar on a terminal, otherwise one plain line for each step."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aipc.core.types import Event

OnEvent = Callable[[Event], None]


@contextmanager
def progress() -> Iterator[OnEvent]:
    """A function that takes events for the time of the block. Safe to call from several threads."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[stage]}", style="bold", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, stage="")
        yield lambda event: bar.update(
            task,
            stage=event.stage,
            description=event.message,
            total=None if event.fraction is None else 1.0,
            completed=event.fraction or 0.0,
        )


def _lines() -> OnEvent:
    last = [("", "")]
    lock = threading.Lock()

    def on_event(event: Event) -> None:
        with lock:
            if (event.stage, event.message) == last[0]:
                return  # only the fraction moved
            last[0] = (event.stage, event.message)
            line = f"{event.stage}: {event.message}" if event.message else event.stage
            print(line, file=sys.stderr, flush=True)

    return on_event


@contextmanager
def shown(progress_wanted: bool | OnEvent) -> Iterator[OnEvent | None]:
    """What the Python interface's ``progress`` stands for: True for :func:`progress`, a function as it is."""
    if callable(progress_wanted):
        yield progress_wanted
    elif progress_wanted:
        with progress() as on_event:
            yield on_event
    else:
        yield None
