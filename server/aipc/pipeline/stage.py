"""What a stage is, and what all stages of one run share.

A stage is one file in ``stages/`` that defines ``STAGE``. Adding a stage is adding a file.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from aipc.core.cache import Cache, Entry
from aipc.core.config import ModelRef
from aipc.core.types import Event, Finding, Gate
from aipc.core.workers import WorkerPool
from aipc.rewrites.results import Rewritten, Trigger
from aipc.targets import RunOptions


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a run, resolved: nothing in it is None that has a default."""

    ref: ModelRef
    soc: str
    precision: str
    target: str = "simulator"
    allow_cpu: bool = False
    finalize: bool = True
    out: Path | None = None
    tolerance: Mapping[str, float] = field(default_factory=dict)
    device: RunOptions = field(default_factory=RunOptions)


@dataclass(slots=True)
class Run:
    """One execution: the request, the tools, and the entries of the stages that are done."""

    request: Request
    pool: WorkerPool
    cache: Cache
    on_event: Callable[[Event], None]
    cancel: threading.Event | None
    directory: Path
    """Of this run: its journal and its logs."""
    strategy: str = "one-trace"
    opset: int = 20
    entries: dict[str, Entry] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    use_cache: bool = True
    triggers: set[Trigger] = field(default_factory=lambda: {Trigger.WRONG})
    """What the rewrite stage applies rules for wherever their form is found; corrective measures add to it."""
    rewritten: tuple[Path, Rewritten] | None = None
    """The result of the rewrite stage, read from the entry at this path."""
    search: bool = False
    """The graph does not compile: the rewrite stage compiles to the end when it asks for placement."""

    @property
    def graph(self) -> Path:
        """The ONNX graph that is deployed: the rewritten one where there is one, else the captured one."""
        rewritten = self.entries.get("rewrite")
        return (rewritten if rewritten and rewritten.meta["changed"] else self.entries["capture"]).path / "model.onnx"

    @property
    def graph_digest(self) -> str:
        rewritten = self.entries.get("rewrite")
        digest: str = (rewritten if rewritten and rewritten.meta["changed"] else self.entries["capture"]).meta["digest"]
        return digest

    def job(self, name: str, **arguments: Any) -> Any:
        """Run a job in a worker; its log is kept with the run."""
        log = self.directory / "logs" / f"{name.rpartition(':')[2]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        return self.pool.run(name, arguments, on_event=self.on_event, log=log, cancel=self.cancel)

    def path(self, stage: str, *parts: str) -> Path:
        """A file of a finished stage."""
        return self.entries[stage].path.joinpath(*parts)

    def meta(self, stage: str) -> Mapping[str, Any]:
        return self.entries[stage].meta


@dataclass(frozen=True, slots=True)
class Stage:
    """One step.

    Args:
        order: position among the stages.
        version: raise it when the same inputs give another result than before.
        key: plain data, all that the result depends on besides name and version.
        build: does the work into a directory and returns plain JSON data.
        gate: the check on the result; None when there is nothing to check.
        files: for a stage that learns what it depends on while it works: the recorded files (path -> SHA-256).
        note: one sentence on what was done, for the report.
    """

    name: str
    order: int
    version: int
    key: Callable[[Run], Any]
    build: Callable[[Run, Path], Mapping[str, Any]]
    gate: Callable[[Run, Mapping[str, Any]], Gate | None] = lambda run, meta: None
    files: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None
    note: Callable[[Run, Mapping[str, Any]], str] = lambda run, meta: ""
    cached: bool = True


@lru_cache(maxsize=1)
def all_stages() -> tuple[Stage, ...]:
    """Every stage in order, found by walking ``stages/``."""
    from . import stages

    found = [
        importlib.import_module(f"{stages.__name__}.{module.name}").STAGE
        for module in pkgutil.iter_modules(stages.__path__)
    ]
    return tuple(sorted(found, key=lambda stage: stage.order))
