"""Checks of the original and of patched texts: the pipeline's own stages, the patched code confined."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aipc.core.cache import Cache
from aipc.core.errors import AipcError, CancelledError, WorkerCrashedError
from aipc.core.types import Event, Finding, Placement, PlacementReport, Severity, TensorSpec
from aipc.core.wording import gate_text
from aipc.core.workers import WorkerPool
from aipc.pipeline.artifacts import (
    CapturedGraph,
    CaptureVerification,
    CompiledGraph,
    GraphPlacement,
    QuantizedGraph,
    RewrittenGraph,
)
from aipc.pipeline.captured_placement import captured_placement
from aipc.pipeline.deployment import settle
from aipc.pipeline.driver import run_stages
from aipc.pipeline.journal import Journal
from aipc.pipeline.outcome import Outcome
from aipc.pipeline.request import Request
from aipc.pipeline.run import Run
from aipc.pipeline.run_findings import findings_of
from aipc.pipeline.variant import variant_for
from aipc.quantize.plan import QuantizationPlan

from . import worker_jobs
from .confined_pool import ConfinedPool
from .integers import Samples, samples_of
from .job_results import Forwarded, OrdinaryAnswers, OrdinaryComparison, Reference, SideComparison
from .scratch import Scratch

CHECK = (CaptureVerification, RewrittenGraph)
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
        return self.run is not None and GraphPlacement in self.run.artifacts

    @property
    def placement(self) -> PlacementReport | None:
        return captured_placement(self.run) if self.run else None

    @property
    def is_compiled(self) -> bool:
        return self.run is not None and CompiledGraph in self.run.artifacts

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The example inputs; nothing while the model is not captured."""
        captured = self.run.artifacts.get(CapturedGraph) if self.run else None
        return captured.result.inputs if captured else ()

    @property
    def serious(self) -> tuple[Finding, ...]:
        """Errors and warnings: what deploy does not solve by itself."""
        return tuple(item for item in self.findings if item.severity is not Severity.INFORMATION)

    @property
    def plan(self) -> QuantizationPlan | None:
        """How the graph was quantized; None in fp16."""
        return self.run.plan if self.run else None

    @property
    def reason(self) -> str:
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
    _samples: Samples | None = None
    _answered: Path | None = None
    """Where the outputs of the model that was held against the original last are."""
    _ordinary: OrdinaryAnswers | None = None
    """Of the original."""
    _held_out: tuple[str, ...] = ()
    """Sets of inputs that are held out of the calibration data, with the original's answers."""

    def open(self) -> Checked:
        """Check the original as ``aipc check`` does, and let it answer for all sets of inputs, once and for all."""
        self.base = self._check(self.request, self.pool, Cache())
        captured = self.base.run.artifacts.get(CapturedGraph) if self.base.run else None
        files = tuple(captured.result.files) if captured else ()
        readable = (str(self.request.ref.root), str(self.request.ref.path.parent), *files, *self.readable)
        self.confined = ConfinedPool(self.pool, readable, self.seconds)
        self._refer()
        if self._samples is not None:
            self._refer_held_out(self._samples)
        return self.base

    def _refer(self) -> None:
        outputs = self.private / "reference"
        outputs.mkdir(parents=True, exist_ok=True)
        seeds = [secrets.randbits(32) for _ in range(_UNSEEN)]
        try:
            self.reference = self.confined.run(
                worker_jobs.REFERENCE,
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

    def _refer_held_out(self, samples: Samples) -> None:
        """Let the original answer for the samples that did not calibrate."""
        if samples.from_example or self.reference is None or self.unreferenced:
            return
        places = {
            "samples": [str(path) for path in samples.held_out],
            "real": str(self.inputs / "real.npz"),
            "names": list(self.reference.arguments),
            "out": str(self.inputs),
        }
        names = self.pool.run(worker_jobs.HELD_OUT, places, on_event=self.on_event, cancel=self.cancel)
        out = self.private / "reference"
        arguments = {"ref": self.request.ref, "out": str(out), "examples": str(self.inputs), "sets": list(names)}
        answered: Forwarded = self.confined.run(
            worker_jobs.FORWARD, arguments, on_event=self.on_event, cancel=self.cancel
        )
        self.confined.tried.clear()
        self._held_out = answered.sets

    @property
    def inputs(self) -> Path:
        return self.private / "reference" / "inputs"

    @property
    def cache(self) -> Cache:
        """What patched texts gave: nobody else's runs find it."""
        return Cache(self.private / "cache")

    def check(self, scratch: Scratch, precision: str | None = None) -> Checked:
        """Check patched texts, confined; in another precision than the run's where one is given."""
        ref = replace(self.request.ref, unsaved=scratch.overlay())
        request = replace(self.request, ref=ref, precision=precision or self.request.precision)
        return self._check(request, self.confined, self.cache)

    def compiled(self, checked: Checked) -> Checked:
        """The same, compiled into a context binary; nodes that are left off the NPU stay on the CPU."""
        assert checked.run is not None
        request = replace(checked.run.request, allow_cpu=True)
        return self._check(request, self.confined, self.cache, compiling=True)

    def _check(self, request: Request, pool: WorkerPool, cache: Cache, *, compiling: bool = False) -> Checked:
        variant = variant_for(request.precision)
        run = Run(
            request=request,
            variant=variant,
            pool=pool,
            cache=cache,
            on_event=self.on_event,
            cancel=self.cancel,
            directory=self.private / "run",
        )
        journal = Journal(run.directory)
        tried = pool.tried if isinstance(pool, ConfinedPool) else []
        tried.clear()
        try:
            settled = settle(run, journal, CHECK)
        except CancelledError:
            raise
        except AipcError as error:
            return Checked(None, None, error=error, tried=self._new(tried))
        run, outcome = settled.run, settled.outcome
        # Data that cannot be read is nobody's to mend here: it ends the run.
        samples = self.samples(run) if outcome.ok and run.plan is not None else None
        further = CompiledGraph if compiling else QuantizedGraph
        try:
            if outcome.ok and (compiling or samples is not None):
                calibrated = replace(run, request=replace(run.request, samples=samples))
                run, outcome = run_stages(calibrated, journal, (*CHECK, further))
        except CancelledError:
            raise
        except AipcError as error:
            return Checked(None, None, error=error, tried=self._new(tried))
        return Checked(run, outcome, findings_of(run), tried=self._new(tried))

    def samples(self, captured: Run) -> Samples:
        """The calibration data, read once, by the original's own loader. ``captured``: any run that is captured."""
        if self._samples is None:
            self._samples = samples_of(self.request, self.pool, captured, self.private / "samples")
        return self._samples

    def _new(self, tried: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item for item in tried if item not in self._usual))

    def hold(self, checked: Checked, scratch: Scratch) -> tuple[tuple[SideComparison, ...], Forwarded, tuple[str, ...]]:
        """The patched model's outputs in eager PyTorch and of its graph against the original's; and what it tried."""
        assert self.reference is not None and checked.run is not None
        out = self.private / "forward" / secrets.token_hex(4)
        out.mkdir(parents=True)
        self._answered = out
        self.confined.tried.clear()
        ref = replace(self.request.ref, unsaved=scratch.overlay())
        arguments = {
            "ref": ref,
            "out": str(out),
            "examples": str(self.inputs),
            "sets": list(self.reference.sets),
            "states": bool(self.reference.states),
        }
        forwarded: Forwarded = self.confined.run(
            worker_jobs.FORWARD, arguments, on_event=self.on_event, cancel=self.cancel
        )
        tried = self._new(self.confined.tried)
        captured = checked.run.captured
        comparisons: tuple[SideComparison, ...] = checked.run.job(
            worker_jobs.HOLD,
            reference=str(self.private / "reference"),
            inputs=str(self.inputs),
            sets=list(forwarded.sets),
            eager=str(out),
            graph=str(captured.graph),
            like=str(captured.inputs),
            names=list(self.reference.arguments),
            states=[] if forwarded.raised else list(self.reference.states),
        )
        return comparisons, forwarded, tried

    def in_ordinary_process(self, scratch: Scratch) -> OrdinaryComparison:
        """The model that ``hold`` judged last, in a process that has imported PyTorch and the project alone.

        Both models are held against their own answers in the sandbox.
        """
        assert self.reference is not None and self._answered is not None
        original, changed = self.private / "ordinary" / "original", self.private / "ordinary" / secrets.token_hex(4)
        if self._ordinary is None:
            self._ordinary = self._run_ordinary(scratch.unsaved, original)
        answers = self._run_ordinary(scratch.overlay(), changed) if self._ordinary.sets else OrdinaryAnswers(())
        return OrdinaryComparison(
            original=self._hold_ordinary(self.private / "reference", original, self._ordinary.sets),
            changed=self._hold_ordinary(self._answered, changed, answers.sets),
            original_answers=self._ordinary,
            changed_answers=answers,
        )

    def _run_ordinary(self, texts: Mapping[str, str], out: Path) -> OrdinaryAnswers:
        assert self.reference is not None
        out.mkdir(parents=True, exist_ok=True)
        ref = replace(self.request.ref, unsaved=texts)
        arguments = {
            "ref": ref,
            "out": str(out),
            "examples": str(self.inputs),
            "sets": list(self.reference.sets),
            "readable": list(self.confined.readable),
            "seconds": self.seconds,
        }
        answers: OrdinaryAnswers = self.pool.run(
            worker_jobs.ORDINARY, arguments, on_event=self.on_event, cancel=self.cancel
        )
        return answers

    def _hold_ordinary(self, wanted: Path, got: Path, sets: Sequence[str]) -> tuple[SideComparison, ...]:
        arguments = {"wanted": str(wanted), "got": str(got), "sets": list(sets), "side": "ordinary"}
        comparisons: tuple[SideComparison, ...] = self.pool.run(
            worker_jobs.HOLD_ARRAYS, arguments, on_event=self.on_event, cancel=self.cancel
        )
        return comparisons

    def foreign_names(self, chains: Sequence[str]) -> Mapping[str, str]:
        """Dotted names that lead to a module which no rewrite needs -> that module (see ``agent.names``)."""
        if not chains:
            return {}
        names: Mapping[str, str] = self.pool.run(
            worker_jobs.FOREIGN_NAMES, {"chains": list(chains)}, on_event=self.on_event, cancel=self.cancel
        )
        return names

    def simulate(self, compiled: Checked) -> tuple[SideComparison, ...]:
        """The compiled graph on the simulator, on the real inputs and on some that nobody has seen.

        Integers are judged as a package is: on what was held out of the calibration data, all of it together, and on
        the real inputs alone where these calibrated.
        """
        assert self.reference is not None and compiled.run is not None
        run = compiled.run
        if run.plan is not None:
            samples = self.samples(run)
            if not self._held_out and not samples.from_example:
                self._refer_held_out(samples)
            sets: tuple[str, ...] = self._held_out or ("real",)
        else:
            sets = ("real", next(name for name in self.reference.sets if name.startswith("unseen")))
        comparisons: tuple[SideComparison, ...] = run.job(
            worker_jobs.SIMULATE,
            reference=str(self.private / "reference"),
            inputs=str(self.inputs),
            sets=list(sets),
            compiled=str(run.artifacts[CompiledGraph].model),
            graph=str(run.deployed_graph.graph) if run.plan is None else None,
            like=str(run.captured.inputs),
            names=list(self.reference.arguments),
            soc=run.request.soc,
        )
        return comparisons


def crashed(error: AipcError | None) -> bool:
    return isinstance(error, WorkerCrashedError)


def places(findings: Sequence[Finding]) -> Mapping[str, int]:
    """How many findings there are of each sort: by rule and by the words without their figures."""
    counts: dict[str, int] = {}
    for item in findings:
        counts[sort_of(item)] = counts.get(sort_of(item), 0) + 1
    return counts


def sort_of(finding: Finding) -> str:
    text = "".join(" " if character.isdigit() else character for character in finding.message)
    return f"{finding.rule}: {' '.join(text.split())[:80]}"
