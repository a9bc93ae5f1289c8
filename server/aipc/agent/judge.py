"""The judgement of a proposal: gates in order, each with what was measured, up to the first that is not passed.

What the patch's code says of itself counts nowhere. It runs confined, and what leaves it is an ONNX graph and arrays;
these are held, in other processes, against answers that the original gave before the first patch was seen.
"""

from __future__ import annotations

import difflib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aipc.core.errors import AipcError, CancelledError
from aipc.core.types import Finding, Placement
from aipc.pipeline.fixing import Prover, why
from aipc.pipeline.gates import package_gate, sqnr_threshold
from aipc.source import split_lines
from aipc.source.parsing import syntax_error

from .bench import Bench, Checked, crashed, places, sort_of
from .job_results import SideComparison
from .levels import APPROXIMATE_DB, EQUAL_DB, equal_db, level_db, on_set, shown
from .ordinary_gate import ordinary_gate
from .policy import Objection, added_chains, inputs_differ, objections, only_inputs_differ
from .scratch import PatchError, Scratch
from .tried import tried_by
from .verdicts import EditProposal, EditVerdict, GateResult, Goal, GoalKind


class Consent(Protocol):
    """Asks the user for a change that is not shown to be equal: ``reason`` says why, ``sqnr_db`` how far off it is."""

    def __call__(self, proposal: EditProposal, reason: str, sqnr_db: float | None = None) -> bool: ...


@dataclass(frozen=True, slots=True)
class JudgedEdit:
    """What is judged. ``target``: the finding that has to go; None when the model is to be captured at all."""

    proposal: EditProposal
    before: Scratch
    checked: Checked
    """Of ``before``: what the patch starts from."""
    goal: Goal
    target: Finding | None
    approximate_db: float | None = None


@dataclass(slots=True)
class Judged:
    verdict: EditVerdict
    scratch: Scratch | None = None
    checked: Checked | None = None


class Judge:
    """Judges proposals against one original. ``consent``: asks the user for an approximate change."""

    def __init__(
        self,
        bench: Bench,
        consent: Consent,
        on_gate: Callable[[GateResult], None],
    ) -> None:
        self._bench = bench
        self._consent = consent
        self._on_gate = on_gate

    def judge(self, case: JudgedEdit) -> Judged:
        started = time.monotonic()
        state = _State(case, self._bench, self._consent)
        gates: list[GateResult] = []
        for gate in state.gates():
            gates.append(gate)
            self._on_gate(gate)
            if not gate.ok:
                break
        verdict = EditVerdict(
            case.proposal.number,
            tuple(gates),
            state.approximate,
            state.sqnr_db,
            state.max_abs,
            state.simulator_db,
            state.after.serious if state.after else (),
            round(time.monotonic() - started, 2),
        )
        return Judged(verdict, state.scratch, state.after)


class _State:
    """One judgement on its way."""

    def __init__(self, case: JudgedEdit, bench: Bench, consent: Consent) -> None:
        self.case, self.bench, self.consent = case, bench, consent
        self.scratch: Scratch | None = None
        self.after: Checked | None = None
        self.approximate = False
        self.sqnr_db: float | None = None
        self.max_abs: float | None = None
        self.simulator_db: float | None = None

    def gates(self) -> Iterator[GateResult]:
        yield self._patch()
        yield self._syntax()
        yield self._bounds()
        yield self._runs()
        if self.case.goal.kind is not GoalKind.INPUTS:
            yield from self._equal()
            yield self._covered()
        yield self._finding_removed()
        yield self._nothing_new()
        if self.case.goal.kind is not GoalKind.INPUTS:
            yield self._proof()
            yield self._simulator()
            assert self.scratch
            yield ordinary_gate(self.bench, self.scratch)

    def _patch(self) -> GateResult:
        try:
            self.scratch = self.case.before.patched(self.case.proposal.edits)
        except PatchError as error:
            return GateResult("patch", False, str(error), attack=error.attack)
        return GateResult("patch", True)

    def _syntax(self) -> GateResult:
        assert self.scratch
        for name, _, text in _changed(self.scratch):
            if problem := syntax_error(text, name):
                return GateResult("syntax", False, problem)
        return GateResult("syntax", True)

    def _bounds(self) -> GateResult:
        assert self.scratch
        result = bounds(self.scratch, self.case.goal)
        if not result.ok:
            return result
        chains = {chain: name for name, before, text in _changed(self.scratch) for chain in added_chains(before, text)}
        for chain, module in self.bench.foreign_names(sorted(chains)).items():
            message = f"{chains[chain]}: {chain} is the module {module}; a model needs no {module}"
            return GateResult("bounds", False, message, attack="reach outside the model")
        return result

    def _runs(self) -> GateResult:
        assert self.scratch
        self.after = after = self.bench.check(self.scratch)
        if after.tried:
            return GateResult("runs", False, f"the code tried: {', '.join(after.tried)}", attack=after.tried[0])
        if after.error is not None:
            attack = ""
            if crashed(after.error):
                attack = "endless loop" if "did not finish" in after.error.what else "process exit"
            return GateResult("runs", False, str(after.error), attack=attack)
        if not after.captured:
            lines = "; ".join(_finding_line(item, self.scratch) for item in after.findings[:4])
            return GateResult("runs", False, f"{after.reason}. {lines}".strip())
        return GateResult("runs", True)

    def _equal(self) -> Iterator[GateResult]:
        """The numbers against the original: in eager PyTorch and of the captured graph, on every set of inputs."""
        assert self.scratch and self.after
        reference = self.bench.reference
        if reference is None:
            yield self._agreed("equal", f"not comparable: {self.bench.unreferenced}")
            return
        try:
            comparisons, forwarded, tried = self.bench.hold(self.after, self.scratch)
        except CancelledError:
            raise
        except AipcError as error:
            attack = "process exit" if crashed(error) and "by itself" in error.what else ""
            attack = "endless loop" if crashed(error) and "did not finish" in error.what else attack
            yield GateResult("equal", False, str(error), attack=attack or next(iter(tried_by(error)), ""))
            return
        if tried:
            yield GateResult("equal", False, f"the code tried: {', '.join(tried)}", attack=tried[0])
            return
        if forwarded.parameters != reference.parameters:
            changed_names = sorted(set(reference.parameters) ^ set(forwarded.parameters))
            reason = f"the state has other entries, so that checkpoints would not load: {', '.join(changed_names[:4])}"
            yield GateResult("equal", False, reason)
            return
        if forwarded.raised:
            attack = "right on the example inputs only" if not forwarded.raised.startswith("real") else ""
            yield GateResult("equal", False, f"forward raised on inputs {forwarded.raised}", attack=attack)
            return
        if reference.draws:
            different = next((one for one in comparisons if one.reason), None)
            if different is not None:
                yield GateResult(
                    "equal", False, f"{_SIDES[different.side]} {on_set(different.set)}: {different.reason}"
                )
                return
            yield self._agreed("equal", f"only shapes and types compared: {self.bench.unreferenced}")
            return
        numbers = self._numbers(comparisons)
        yield numbers
        if numbers.ok and self.bench.unreferenced:
            yield self._agreed("equal on other inputs", f"not compared: {self.bench.unreferenced}. {numbers.words}")

    def _agreed(self, gate: str, reason: str) -> GateResult:
        """What could not be measured needs the user's word."""
        allowed = self.consent(self.case.proposal, reason)
        self.approximate = True
        return GateResult(gate, allowed, reason + ("; the user agrees" if allowed else "; the user has to agree"))

    def _covered(self) -> GateResult:
        """Whether the original was run on inputs that take each side of the decisions that the change touches."""
        assert self.scratch
        reference = self.bench.reference
        changed = {
            str(file): changed_lines(self.scratch.original(Path(file)), text)
            for file, text in self.scratch.texts.items()
        }
        sides = [
            side
            for side in (reference.uncovered if reference else ())
            if changed.get(side.decision.file, set()) & set(range(side.decision.line, side.decision.end_line + 1))
        ]
        if not sides:
            return GateResult("covered", True)
        message = "; ".join(side.message for side in sides[:4])
        result = self._agreed("covered", message)
        if not result.ok:
            advice = "keep what the original does there, or change nothing on that line"
            return GateResult("covered", False, f"{message}. The change is not judged there: {advice}")
        return result

    def _numbers(self, comparisons: Sequence[SideComparison]) -> GateResult:
        for one in comparisons:
            if one.reason:
                return GateResult("equal", False, f"{_SIDES[one.side]} {on_set(one.set)}: {one.reason}")
        floors = self.bench.reference.floors if self.bench.reference else {}
        judged = [
            (one, item) for one in comparisons for item in one.outputs if one.set != "far" or not item.nan + item.inf
        ]
        worst = min(judged, key=lambda pair: level_db(pair[1]) - equal_db(floors, pair[0].set), default=None)
        if worst is None:
            return GateResult("equal", False, "there is no output to compare")
        level = level_db(worst[1])
        self.sqnr_db = level
        self.max_abs = max((item.max_abs for one, item in judged if one.set != "far"), default=0.0)
        wanted = equal_db(floors, worst[0].set)
        reason = (
            f"worst: {worst[1].name} in {_SIDES[worst[0].side]} {on_set(worst[0].set)}, SQNR {shown(level)} dB, "
            f"max error {worst[1].max_abs:.3g}; wanted {wanted:.4g} dB"
        )
        if wanted < EQUAL_DB:
            reason += f" (the original in fp32 has {floors[worst[0].set]:.1f} dB against fp64 there)"
        figures = tuple(item for one, item in judged if one.side == worst[0].side and one.set == worst[0].set)
        if level >= wanted:
            return GateResult("equal", True, reason, figures)
        on_real = min((level_db(item) for one, item in judged if one.set == "real"), default=-math.inf)
        if on_real >= EQUAL_DB:
            reason += "; on the example inputs it is right, on inputs that it has not seen it is not"
            attack = "right on the example inputs only" if level < APPROXIMATE_DB else ""
            return GateResult("equal", False, reason, figures, attack)
        if level < APPROXIMATE_DB:
            return GateResult("equal", False, f"{reason}; the model means something else", figures)
        if self.case.approximate_db is not None and level >= self.case.approximate_db:
            self.approximate = True
            return GateResult(
                "equal", True, f"{reason}; approximate, within the {self.case.approximate_db:g} dB allowed", figures
            )
        if self.consent(self.case.proposal, f"it has {level:.1f} dB SQNR in fp32: {reason}", level):
            self.approximate = True
            return GateResult("equal", True, f"{reason}; approximate, with the user's word", figures)
        self.approximate = True
        return GateResult("equal", False, f"{reason}; an approximate change needs the user's word", figures)

    def _finding_removed(self) -> GateResult:
        assert self.after and self.scratch
        target = self.case.target
        if target is None:
            return GateResult("finding gone", True, "the model is captured")
        before, after = places(self.case.checked.serious), places(self.after.serious)
        sort = sort_of(target)
        if after.get(sort, 0) < before.get(sort, 0):
            return GateResult("finding gone", True, f"{before[sort]} before, {after.get(sort, 0)} after: {target.rule}")
        left = next((item for item in self.after.serious if sort_of(item) == sort), None)
        line = _finding_line(left, self.scratch) if left else ""
        return GateResult("finding gone", False, f"the finding is still there: {line}")

    def _nothing_new(self) -> GateResult:
        assert self.after and self.scratch
        if not self.case.checked.captured:
            return GateResult("no new findings", True, f"{len(self.after.serious)} to come now that it is captured")
        before, after = places(self.case.checked.serious), places(self.after.serious)
        new = [item for item in self.after.serious if after[sort_of(item)] > before.get(sort_of(item), 0)]
        if new:
            lines = "; ".join(_finding_line(item, self.scratch) for item in new[:4])
            return GateResult("no new findings", False, f"the change brings new findings: {lines}")
        return GateResult("no new findings", True)

    def _proof(self) -> GateResult:
        """What a rule's edit has to pass: the changed part alone, also on boundary values and on the simulator."""
        assert self.after and self.after.run
        base = self.bench.base
        if not base.captured or base.run is None:
            return GateResult("proof", True, "there is no graph of the original to prove the changed part against")
        if self.after.off:
            return GateResult("proof", True, "not made while other nodes are off the NPU; the whole model is simulated")
        if self.approximate:
            return GateResult("proof", True, "not made for an approximate change; the whole model is simulated")
        proof = Prover(base.run).proof(self.after.run, ())
        if isinstance(proof, str):
            return GateResult(
                "proof", True, f"the changed part cannot be cut out alone ({proof}); the whole is simulated"
            )
        if proof.ok:
            return GateResult("proof", True, f"{len(proof.checks)} checks")
        failed = proof.failed
        assert failed is not None
        if failed.name == "changed":
            return GateResult("proof", False, failed.words)
        return GateResult("proof", False, f"{failed.name}: {why(proof)}", failed.figures)

    def _simulator(self) -> GateResult:
        assert self.after
        placed = self.after.placement
        if placed is not None and not placed.count(Placement.NPU):
            return GateResult("simulator", False, "no node is left for the NPU")
        try:
            compiled = self.bench.compiled(self.after)
            if compiled.error is not None or compiled.run is None or not compiled.is_compiled:
                reason = str(compiled.error) if compiled.error else compiled.reason
                return GateResult("simulator", False, f"it does not compile: {reason}")
            if self.bench.unreferenced:
                return GateResult("simulator", True, "compiled to the end")
            comparisons = self.bench.simulate(compiled)
        except CancelledError:
            raise
        except AipcError as error:
            return GateResult("simulator", False, str(error))
        for one in comparisons:
            if one.reason:
                return GateResult("simulator", False, f"on {one.set} inputs: {one.reason}")
        figures = tuple(item for one in comparisons for item in one.outputs)
        self.simulator_db = min((level_db(item) for item in figures), default=math.inf)
        tolerance, plan = dict(self.bench.request.tolerance), compiled.plan
        usual = tolerance.get("sqnr_db", sqnr_threshold(plan))
        if self.approximate and self.case.approximate_db is not None:
            tolerance["sqnr_db"] = min(usual, self.case.approximate_db - 6.0)
        elif self.approximate and self.sqnr_db is not None:
            tolerance["sqnr_db"] = min(usual, self.sqnr_db - 6.0)
        gate = package_gate(figures, tolerance, plan)
        summary = f"compiled for {compiled.run.request.soc} in {compiled.run.request.precision}"
        reason = f"{summary}, SQNR {shown(self.simulator_db)} dB against the original"
        return GateResult("simulator", gate.ok, reason if gate.ok else f"{reason}; {gate.detail}", figures)


def bounds(scratch: Scratch, goal: Goal) -> GateResult:
    """What can be told of a patch before a line of it runs: that it is Python and keeps to what a model needs."""
    for name, before, text in _changed(scratch):
        if problem := syntax_error(text, name):
            return GateResult("bounds", False, problem)
        objections_of_text = _added(before, text, name)
        if objections_of_text:
            return GateResult(
                "bounds",
                False,
                "; ".join(item.reason for item in objections_of_text[:5]),
                attack=objections_of_text[0].attack,
            )
        if syntax_error(before, name):
            continue
        if goal.kind is GoalKind.INPUTS and not only_inputs_differ(before, text):
            return GateResult("bounds", False, f"{name}: only example_inputs may be added or changed here")
        if goal.kind is not GoalKind.INPUTS and inputs_differ(before, text):
            problem = f"{name}: example_inputs is what the model is judged with and stays as it is"
            return GateResult("bounds", False, problem, attack="other test inputs")
    return GateResult("bounds", True)


def _changed(scratch: Scratch) -> Iterator[tuple[str, str, str]]:
    """Name, text of the original and new text of every file that differs from the original."""
    for file, text in scratch.texts.items():
        yield scratch.relative(file), scratch.original(Path(file)), text


def _added(before: str, text: str, name: str) -> list[Objection]:
    """Objections to what a patch adds; where the original is no Python, to lines that it does not have."""
    if not syntax_error(before, name):
        return objections(before, text, name)
    known, lines = set(split_lines(before)), split_lines(text)
    return [item for item in objections("", text, name) if lines[item.line - 1 : item.line][0] not in known]


def changed_lines(before: str, text: str) -> set[int]:
    """Lines of ``before``, counted from 1, that the new text does not have as they were."""
    old, new = split_lines(before), split_lines(text)
    lines: set[int] = set()
    for tag, first, last, _, _ in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag in {"replace", "delete"}:
            lines |= set(range(first + 1, last + 1))
    return lines


_SIDES = {"eager": "PyTorch", "graph": "the captured graph", "simulator": "the simulator"}


def _finding_line(finding: Finding, scratch: Scratch) -> str:
    where = f"{scratch.relative(finding.range.file)}:{finding.range.start.line} " if finding.range else ""
    compiler = f" ({finding.compiler[:300]})" if finding.compiler else ""
    return f"{where}[{finding.rule}] {finding.message}{compiler}"
