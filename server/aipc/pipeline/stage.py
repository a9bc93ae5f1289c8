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
from aipc.quantize.plan import CALIBRATION_COUNT, HELD_OUT_COUNT, QuantizationPlan
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
    calibration: str | None = None
    """Folder, array file, ``file.py:name`` or ``random``; None where nothing is quantized."""
    calibration_count: int = CALIBRATION_COUNT
    held_out_count: int = HELD_OUT_COUNT
    seed: int = 0
    preprocess: str | None = None
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
    plan: QuantizationPlan | None = None
    """How the graph is quantized; None leaves it in float. A search over precisions changes it between its tries."""
    comparing: bool = False
    """Precisions are compared: a candidate in fp16 is judged on the held-out samples as the others are."""
    search: bool = False
    """The graph does not compile: the rewrite stage compiles to the end when it asks for placement."""

    def _deployed(self, *, quantized: bool) -> Entry:
        """The entry that holds the graph: of the last stage that changed it."""
        for name in ("quantize", "rewrite") if quantized else ("rewrite",):
            entry = self.entries.get(name)
            if entry is not None and entry.meta["changed"]:
                return entry
        return self.entries["capture"]

    @property
    def graph(self) -> Path:
        """The ONNX graph that is deployed: quantized where it was, else rewritten, else as captured."""
        return self._deployed(quantized=True).path / "model.onnx"

    @property
    def graph_digest(self) -> str:
        digest: str = self._deployed(quantized=True).meta["digest"]
        return digest

    @property
    def float_graph(self) -> Path:
        """What is quantized: the rewritten graph where there is one, else the captured one."""
        return self._deployed(quantized=False).path / "model.onnx"

    @property
    def float_digest(self) -> str:
        digest: str = self._deployed(quantized=False).meta["digest"]
        return digest

    @property
    def calibrates(self) -> bool:
        """Whether calibration data is read, and the package judged on what is held out of it."""
        return self.plan is not None or self.comparing

    @property
    def held_out(self) -> tuple[Path, ...]:
        """Samples that the package is judged on; without calibration the example inputs alone."""
        entry = self.entries.get("calibrate")
        if entry is None or not entry.meta["changed"]:
            return (self.path("capture", "inputs.npz"),)
        return tuple(sorted(path for path in (entry.path / "held-out").glob("[0-9]*.npz") if path.suffixes == [".npz"]))

    @property
    def references(self) -> tuple[Path, ...]:
        """PyTorch's outputs for every one of ``held_out``."""
        if self.held_out == (self.path("capture", "inputs.npz"),):
            return (self.path("capture", "reference.npz"),)
        return tuple(path.with_suffix(".reference.npz") for path in self.held_out)

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
    files: Callable[[Mapping[str, Any]], Mapping[str, str] | None] | None = None
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
