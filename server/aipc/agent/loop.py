"""The loop: one finding at a time, the smallest first, inside the bounds; ends with what holds and what was learned."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from aipc.core.errors import AipcError, CancelledError
from aipc.core.types import Finding
from aipc.core.wording import gate_text
from aipc.pipeline.capsule import write_capsule
from aipc.pipeline.gates import package_gate

from .bench import Bench, Checked
from .budget import Meter, Spent
from .judge import Judge, Judged
from .messages import Ask, Endpoint, Question
from .scratch import PatchError, Scratch
from .step import Findings, Step
from .talk import Ended, Talk
from .trace import Trace
from .verdicts import AgentReport, Agreement, EditProposal, EditVerdict, GateResult, Goal, GoalKind, Stopped
from .visible import visible

_MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Watched:
    """What happens, for whoever watches."""

    kind: str
    message: str
    round: int
    tokens: int
    cost: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Setup:
    """What a run is made of.

    Args:
        asks: whether there is somebody to ask.
        answers: recorded answers of the user, given before anybody is asked.
    """

    bench: Bench
    goal: Goal
    meter: Meter
    endpoint: Endpoint
    trace: Trace
    ask: Ask
    asks: bool
    watch: Callable[[Watched], None]
    cancelled: Callable[[], bool]
    approximate_db: float | None = None
    agree: tuple[Agreement, ...] = ()
    """The user's word, given ahead."""


class Loop:
    def __init__(self, setup: Setup, scratch: Scratch) -> None:
        self._setup = setup
        self._bench, self._trace, self._meter = setup.bench, setup.trace, setup.meter
        self.scratch = scratch
        self._findings = Findings()
        self._accepted: list[EditProposal] = []
        self._proof: EditVerdict | None = None
        self._rounds = 0
        self._wants_user = False
        self._checked: Checked
        self._judge = Judge(self._bench, self._consent, self._on_gate)

    def run(self, base: Checked) -> AgentReport:
        """Work until the goal is reached or a bound is. Every way to end is a report but an error of the setting."""
        self._checked = base
        try:
            stopped, reason = self._steps(base)
        except Spent as error:
            stopped, reason = Stopped.BUDGET, str(error)
            self._trace.write("bound", words=reason)
        except Ended as error:
            stopped, reason = error.stopped, str(error)
            if self._wants_user and stopped in {Stopped.NO_PROGRESS, Stopped.GAVE_UP, Stopped.BUDGET}:
                stopped, reason = Stopped.NEEDS_USER, f"a change needs the user's word; besides, {reason}"
        except CancelledError:
            stopped, reason = Stopped.CANCELLED, "cancelled"
        return self._report(stopped, reason, self._checked)

    def _steps(self, checked: Checked) -> tuple[Stopped, str]:
        for number in range(1, _MOST_STEPS + 1):
            self._still_wanted()
            target, reason = self._next(checked, number == 1)
            if not reason:
                if number == 1:
                    return Stopped.NOTHING_TO_DO, self._nothing()
                return Stopped.SOLVED, self._solved()
            judged = self._step(number, checked, target, reason)
            self._accept(judged)
            assert judged.checked is not None
            self._checked = checked = judged.checked
        raise Ended(Stopped.BUDGET, f"{_MOST_STEPS} steps were taken")

    def _next(self, checked: Checked, first: bool) -> tuple[Finding | None, str]:
        """What to work on: a finding, or None and the problem in words; no words when there is nothing."""
        goal = self._setup.goal
        if not checked.captured:
            return None, checked.reason or "the model is not captured"
        if goal.kind in {GoalKind.EXPORT, GoalKind.INPUTS}:
            return None, ""
        if goal.kind is GoalKind.FINDING:
            target = next((item for item in checked.serious if goal.names(item)), None) if first else None
            return target, target.message if target else ""
        ordered = sorted(checked.serious, key=lambda item: (len(item.nodes) or math.inf, _line(item)))
        if ordered:
            return ordered[0], ordered[0].message
        return None, self._gate() if first else ""

    def _gate(self) -> str:
        """Why the model misses deploy's last gate although nothing is found of it; empty when it does not."""
        bench = self._bench
        if bench.unreferenced:
            return ""
        compiled = bench.compiled(bench.base)
        if not compiled.is_compiled:
            return f"it does not compile: {compiled.error or compiled.reason}"
        try:
            figures = tuple(item for one in bench.simulate(compiled) for item in one.outputs)
        except CancelledError:
            raise
        except AipcError as error:
            return f"it does not run on the simulator: {error}"
        gate = package_gate(figures, bench.request.tolerance, compiled.plan)
        return "" if gate.ok else f"on the simulator, in {bench.request.precision}, {gate_text(gate)}"

    def _step(self, number: int, checked: Checked, target: Finding | None, reason: str) -> Judged:
        setup = self._setup
        self._trace.write("step", number=number, words=reason, finding=target)
        self._watch("step", reason[:160])
        step = Step(
            self._bench,
            setup.goal,
            self.scratch,
            checked,
            target,
            judge=self._judge,
            approximate_db=setup.approximate_db,
            ask=self._ask,
            trace=self._trace,
            watch=self._watch,
            findings=self._findings,
            patience=self._meter.budget.patience,
            rounds=self._meter.budget.rounds,
            asks=setup.asks,
        )
        tools = tuple(item.spec for item in step.tools)
        talk = Talk(setup.endpoint, self._meter, tools, self._trace, self._on_reply, step.first_messages(reason))
        return step.run(talk)

    def _accept(self, judged: Judged) -> None:
        assert judged.scratch is not None
        self.scratch = judged.scratch
        self._accepted.append(self._findings.proposals[-1])
        self._proof = judged.verdict
        self._trace.write("accepted", proposal=judged.verdict.proposal, diffs=judged.scratch.diffs())

    def _still_wanted(self) -> None:
        if self._setup.cancelled():
            raise CancelledError("cancelled")

    def _on_reply(self, reason: str) -> None:
        self._still_wanted()
        self._rounds = self._meter.requests
        self._watch("reply", reason)

    def _on_gate(self, gate: GateResult) -> None:
        self._trace.write("gate", gate=gate)
        self._watch("gate", f"{gate.name}: {'passed' if gate.ok else gate.words[:160]}")

    def _watch(self, kind: str, message: str) -> None:
        used = self._meter.usage
        self._setup.watch(Watched(kind, message, self._rounds, used.tokens, used.cost, used.seconds))

    def _ask(self, question: Question) -> str | None:
        self._trace.write("question", text=question.text, choices=question.choices, evidence=question.evidence)
        self._watch("question", question.text[:160])
        answer = self._setup.ask(question)
        self._trace.write("answer", answer=answer)
        return answer

    def _consent(self, proposal: EditProposal, reason: str, sqnr_db: float | None = None) -> bool:
        """The user's word for a change that is not shown to be equal."""
        if Agreement.needed(sqnr_db) in self._setup.agree:
            self._trace.write("agreed", reason=reason, sqnr_db=sqnr_db)
            return True
        self._wants_user = True
        evidence = {
            "sqnr_db": None if sqnr_db is None else round(sqnr_db, 2),
            "title": proposal.title,
            "reason": reason,
            "diff": visible("".join(self._diffs(proposal).values())),
        }
        question = Question(
            f"The change '{proposal.title}' is not shown to be equal: {reason}. Take it?", ("yes", "no"), evidence
        )
        return (self._ask(question) or "no").strip().lower() in {"yes", "y", "true"}

    def _diffs(self, proposal: EditProposal) -> Mapping[str, str]:
        try:
            return self.scratch.patched(proposal.edits).diffs()
        except PatchError:
            return {}

    def _nothing(self) -> str:
        return "there is nothing for the agent to do: no finding that deploy does not solve by itself"

    def _solved(self) -> str:
        proof = self._proof
        changes = f"{len(self._accepted)} change{'s' * (len(self._accepted) != 1)}"
        figures = []
        if proof and proof.max_abs is not None:
            figures.append(f"max error {proof.max_abs:.2g} in fp32")
        if proof and proof.simulator_sqnr_db is not None and math.isfinite(proof.simulator_sqnr_db):
            figures.append(f"{proof.simulator_sqnr_db:.1f} dB on the simulator")
        return f"solved by {changes}" + (f": {', '.join(figures)}" if figures else "")

    def _report(self, stopped: Stopped, reason: str, checked: Checked) -> AgentReport:
        ok = stopped in {Stopped.SOLVED, Stopped.NOTHING_TO_DO}
        request = self._bench.request
        report = AgentReport(
            model=request.ref.name,
            soc=request.soc,
            precision=request.precision,
            goal=self._setup.goal,
            ok=ok,
            stopped=stopped,
            words=reason,
            edits=self.scratch.edits(),
            diffs=self.scratch.diffs(),
            proof=self._proof,
            accepted=tuple(self._accepted),
            verdicts=tuple(self._findings.verdicts),
            usage=self._meter.usage,
            trace=str(self._trace.directory),
            left=checked.serious,
            learned=tuple(self._findings.learned),
            attacks=tuple(self._findings.attacks),
            endpoint=self._setup.endpoint.title,
        )
        if not ok and stopped is not Stopped.CANCELLED:
            report = replace(report, capsule=self._capsule(checked, reason))
        self._trace.write("done", report=report)
        self._watch("done", f"{stopped.value}: {reason[:160]}")
        return report

    def _capsule(self, checked: Checked, reason: str) -> str | None:
        """What somebody else needs to see the failure again; None where there is no graph."""
        run, outcome = checked.run, checked.outcome
        if run is None or outcome is None or not outcome.records:
            return None
        run = replace(run, directory=self._trace.directory)
        try:
            path = write_capsule(run, outcome.failed or outcome.records[-1], checked.serious, reason)
        except AipcError:
            return None
        return str(path) if path else None


def _line(finding: Finding) -> int:
    return finding.range.start.line if finding.range else 0
