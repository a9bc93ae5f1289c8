"""What a stage is, and what all stages of one run share.

A stage is one file in ``stages/`` that defines ``STAGE``. Adding a stage is adding a file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from aipc.core.cache import Cache, Entry
from aipc.core.config import ModelRef
from aipc.core.jobs import Job
from aipc.core.types import Event, Gate
from aipc.core.workers import WorkerPool
from aipc.quantize.plan import CALIBRATION_COUNT, HELD_OUT_COUNT, QuantizationPlan
from aipc.targets import RunOptions

from .variant import Variant

R = TypeVar("R")


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
    integer_io: bool = False
    """A quantized package takes and gives the integers themselves."""
    device: RunOptions = field(default_factory=RunOptions)
    probes: Literal["none", "few", "all"] = "few"
    """Input sets beside the example that are judged: none, those that fit into a little time, or all."""


@dataclass(frozen=True, slots=True)
class Done:
    """A stage that was done in this process: its cache key, its entry, and how long it took when it was done."""

    key: str
    entry: Entry
    seconds: float
    cached: bool
    """It was in the cache from before."""


@dataclass(frozen=True, slots=True)
class Run:
    """One call of the stages: the request, the variant of it that is built, the tools, and what the stages made.

    Only the driver adds to ``entries`` and ``keys``. Another variant is another ``Run`` (see :meth:`of`).
    """

    request: Request
    pool: WorkerPool
    cache: Cache
    on_event: Callable[[Event], None]
    cancel: threading.Event | None
    directory: Path
    """Of this run: its journal and its logs."""
    variant: Variant = field(default_factory=Variant)
    use_cache: bool = True
    """Take what earlier runs left in the cache. What this run itself did is never done twice."""
    entries: dict[str, Entry] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)
    """Every stage that any variant of this run has done, by a hash of what it depends on."""
    parsed: dict[Path, Any] = field(default_factory=dict)
    """Results of stages as typed objects, by the path of their entry: some are megabytes and have several readers."""

    def of(self, variant: Variant) -> Run:
        """The same request as another variant, with nothing done yet; what both have in common is not done again."""
        return replace(self, variant=variant, entries={}, keys={})

    @property
    def seconds(self) -> float:
        """What the stages of this variant took, those from the cache of earlier runs left out."""
        keys = set(self.keys.values())
        return sum(done.seconds for done in self.done.values() if done.key in keys and not done.cached)

    def for_request(self, request: Request) -> Run:
        """The same variant and tools for another request."""
        return replace(self, request=request, entries={}, keys={}, done={}, parsed={})

    @property
    def plan(self) -> QuantizationPlan | None:
        """How the graph is quantized; None leaves it in float."""
        return self.variant.plan

    @property
    def precision(self) -> str:
        """What the package's precision is called."""
        return self.variant.precision

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
        return self.plan is not None or self.variant.held_out

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

    def job(self, job: Job[R], **arguments: Any) -> R:
        """Run a job in a worker; its log is kept with the run."""
        log = self.directory / "logs" / f"{job.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        return self.pool.run(job, arguments, on_event=self.on_event, log=log, cancel=self.cancel)

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
        gate: the check on the result, which it judges and does not change; None when there is nothing to check.
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
    installed: bool = False
    """What it builds is handed to the user: every file of it is hashed, also where it comes from the cache."""
