"""Checks of the original and of patched texts: the pipeline's own stages, the patched code confined."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aipc.core.cache import Cache
from aipc.core.errors import AipcError, CancelledError, WorkerCrashedError
from aipc.core.types import Event, Finding, Placement, PlacementReport, Severity
from aipc.core.workers import WorkerPool
from aipc.pipeline.driver import Outcome, gate_text, run_stages
from aipc.pipeline.journal import Journal
from aipc.pipeline.stage import Request, Run
from aipc.pipeline.stages.placement import placement_report

from .confined_pool import ConfinedPool
from .job_results import Forwarded, Held, Reference
from .scratch import Scratch

CHECK = ("capture", "verify capture", "placement", "rewrite")
COMPILE = (*CHECK, "compile")
_UNSEEN = 3
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of some texts. ``error``: it could not be made; then there is no more than that."""

    run: Run | None
    outcome: Outcome | None
    findings: tuple[Finding, ...] = ()
    error: AipcError | None = None
    tried: tuple[str, ...] = ()
    """What the code tried and the sandbox refused."""

    @property
    def captured(self) -> bool:
        return self.run is not None and "placement" in self.run.entries

    @property
    def placement(self) -> PlacementReport | None:
        return placement_report(self.run) if self.run and "placement" in self.run.entries else None

    @property
    def serious(self) -> tuple[Finding, ...]:
        """Errors and warnings: what deploy does not solve by itself."""
        return tuple(item for item in self.findings if item.severity is not Severity.INFORMATION)

    @property
    def words(self) -> str:
        """Why nothing was captured; empty when it was."""
        if self.error is not None:
            return str(self.error)
        failed = self.outcome.failed if self.outcome else None
        if failed is None or self.captured:
            return ""
        return f"{failed.name}: {gate_text(failed.gate)}" if failed.gate else failed.name

    @property
    def off(self) -> int:
        placed = self.placement
        return sum(node.placement is not Placement.NPU for node in placed.nodes) if placed else 0


@dataclass(slots=True)
class Bench:
    """What one run of the agent checks with.

    Args:
        request: of the original.
        private: a directory that confined code cannot read: caches, and what the original answered.
    """

    request: Request
    pool: WorkerPool
    private: Path
    on_event: Callable[[Event], None]
    cancel: threading.Event | None
    readable: tuple[str, ...] = ()
    seconds: float = _SECONDS
    base: Checked = field(init=False)
    reference: Reference | None = None
    unreferenced: str = ""
    """Why there is nothing to hold patches against; empty when there is."""
    confined: ConfinedPool = field(init=False)
    _usual: set[str] = field(default_factory=set)
    """What the original itself tries under confinement."""

    def open(self) -> Checked:
        """Check the original as ``aipc check`` does, and let it answer for all sets of inputs, once and for all."""
        self.base = self._check(self.request, self.pool, Cache(), CHECK)
        entry = self.base.run.entries.get("capture") if self.base.run else None
        files = tuple(entry.meta["files"]) if entry else ()
        readable = (str(self.request.ref.root), str(self.request.ref.path.parent), *files, *self.readable)
        self.confined = ConfinedPool(self.pool, readable, self.seconds)
        self._refer()
        return self.base

    def _refer(self) -> None:
        outputs = self.private / "reference"
        outputs.mkdir(parents=True, exist_ok=True)
        seeds = [secrets.randbits(32) for _ in range(_UNSEEN)]
        try:
            self.reference = self.confined.run(
                "aipc.agent.jobs:reference",
                {"ref": self.request.ref, "out": str(outputs), "inputs": str(self.inputs), "seeds": seeds},
                on_event=self.on_event,
                cancel=self.cancel,
            )
        except CancelledError:
            raise
        except AipcError as error:
            self.unreferenced = f"the original does not run: {error.what}"
        else:
            if self.reference.draws:
                self.unreferenced = "the original answers differently each time: it draws random numbers"
            elif not any(name.startswith("unseen") for name in self.reference.sets):
                self.unreferenced = "the original takes no inputs but its own example"
        self._usual = set(self.confined.tried)
        self.confined.tried.clear()

    @property
    def inputs(self) -> Path:
        return self.private / "reference" / "inputs"

    def check(self, scratch: Scratch, stages: Sequence[str] = CHECK) -> Checked:
        """Check patched texts, confined."""
        ref = replace(self.request.ref, unsaved=scratch.overlay())
        return self._check(replace(self.request, ref=ref), self.confined, Cache(self.private / "cache"), stages)

    def compiled(self, checked: Checked) -> Checked:
        """The same, compiled into a context binary; nodes that are left off the NPU stay on the CPU."""
        assert checked.run is not None
        request = replace(checked.run.request, allow_cpu=True)
        return self._check(request, self.confined, Cache(self.private / "cache"), COMPILE)

    def _check(self, request: Request, pool: WorkerPool, cache: Cache, stages: Sequence[str]) -> Checked:
        run = Run(request, pool, cache, self.on_event, self.cancel, self.private / "run")
        tried = pool.tried if isinstance(pool, ConfinedPool) else []
        tried.clear()
        try:
            outcome = run_stages(run, Journal(run.directory), only=stages)
        except CancelledError:
            raise
        except AipcError as error:
            return Checked(None, None, error=error, tried=self._new(tried))
        return Checked(run, outcome, tuple(run.findings), tried=self._new(tried))

    def _new(self, tried: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item for item in tried if item not in self._usual))

    def hold(self, checked: Checked, scratch: Scratch) -> tuple[tuple[Held, ...], Forwarded, tuple[str, ...]]:
        """The patched model's outputs in eager PyTorch and of its graph against the original's; and what it tried."""
        assert self.reference is not None and checked.run is not None
        out = self.private / "forward" / secrets.token_hex(4)
        out.mkdir(parents=True)
        self.confined.tried.clear()
        ref = replace(self.request.ref, unsaved=scratch.overlay())
        arguments = {"ref": ref, "out": str(out), "given": str(self.inputs), "sets": list(self.reference.sets)}
        forwarded: Forwarded = self.confined.run(
            "aipc.agent.jobs:forward", arguments, on_event=self.on_event, cancel=self.cancel
        )
        tried = self._new(self.confined.tried)
        graph = checked.run.path("capture", "model.onnx")
        held: tuple[Held, ...] = checked.run.job(
            "aipc.agent.jobs:hold",
            reference=str(self.private / "reference"),
            inputs=str(self.inputs),
            sets=list(forwarded.sets),
            eager=str(out),
            graph=str(graph),
            like=str(graph.with_name("inputs.npz")),
            names=list(self.reference.arguments),
        )
        return held, forwarded, tried

    def simulate(self, compiled: Checked) -> tuple[Held, ...]:
        """The compiled graph on the simulator, with the real inputs and with some that nobody has seen."""
        assert self.reference is not None and compiled.run is not None
        run = compiled.run
        unseen = next(name for name in self.reference.sets if name.startswith("unseen"))
        held: tuple[Held, ...] = run.job(
            "aipc.agent.jobs:simulate",
            reference=str(self.private / "reference"),
            inputs=str(self.inputs),
            sets=["real", unseen],
            compiled=str(run.path("compile", run.meta("compile")["model"])),
            graph=str(run.graph),
            like=str(run.path("capture", "inputs.npz")),
            names=list(self.reference.arguments),
            soc=run.request.soc,
        )
        return held


def crashed(error: AipcError | None) -> bool:
    return isinstance(error, WorkerCrashedError)


def places(findings: Sequence[Finding]) -> Mapping[str, int]:
    """How many findings there are of each sort: by rule and by the words without their figures."""
    counts: dict[str, int] = {}
    for item in findings:
        counts[sort_of(item)] = counts.get(sort_of(item), 0) + 1
    return counts


def sort_of(finding: Finding) -> str:
    words = "".join(" " if character.isdigit() else character for character in finding.message)
    return f"{finding.rule}: {' '.join(words.split())[:80]}"
