"""A build with the tools that stages work with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from aipc.core.cache import Cache
from aipc.core.jobs import Job
from aipc.core.types import Event
from aipc.core.workers import WorkerPool

from .artifacts import Artifact
from .build import Artifacts, Build
from .request import Request
from .variant import Variant

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Done:
    """A stage that was done in this process, and how long it took when it was done."""

    artifact: Artifact
    seconds: float
    cached: bool
    """It was in the cache from before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Build):
    """One call of the stages. Another variant or another request is another ``Run``; none is ever changed."""

    pool: WorkerPool
    cache: Cache
    on_event: Callable[[Event], None]
    cancel: threading.Event | None
    directory: Path
    """Of this run: its journal and its logs."""
    use_cache: bool = True
    """Take what earlier runs left in the cache. What this run itself did is never done twice."""
    memory: dict[str, Done] = field(default_factory=dict)
    """The driver's memory: what any variant of this request has done, by a hash of everything that it depends on."""

    def of(self, variant: Variant) -> Run:
        """The same request as another variant, with nothing built yet; what both have in common is not done again."""
        return replace(self, variant=variant, artifacts=Artifacts(), records=())

    def for_request(self, request: Request) -> Run:
        """The same variant and tools for another request."""
        return replace(self, request=request, artifacts=Artifacts(), records=(), memory={})

    def job(self, job: Job[R], **arguments: Any) -> R:
        """Run a job in a worker; its log is kept with the run."""
        log = self.directory / "logs" / f"{job.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        return self.pool.run(job, arguments, on_event=self.on_event, log=log, cancel=self.cancel)
