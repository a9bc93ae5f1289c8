"""One step: one finding, one conversation, until a proposal passes every gate or the bounds end it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from aipc.core.errors import AipcError, CancelledError
from aipc.core.types import Finding

from . import prompts
from .bench import Bench, Checked
from .judge import Judge, Judged, JudgedEdit
from .messages import Ask, Message, ToolCall
from .scratch import PatchError, Scratch
from .talk import Ended, Talk
from .tools._tool import AgentTool, Context, WrongCall, all_tools, arguments_of
from .trace import Trace
from .verdicts import EditProposal, EditVerdict, FileEdit, Goal, Stopped
from .visible import visible

_MOST_CALLS = 4
"""Of one reply; what is more is answered, and not done."""
_INSTRUCTION = re.compile(
    r"(?i)\b(ignore|disregard|forget)\b[^.\n]{0,40}\b(instruction|prompt|rule|above|previous)"
    r"|\byou are now\b|system prompt"
)
_POWERS = re.compile(r"(?i)shell|bash|exec|command|terminal|python|write|delete|remove|http|fetch|browse|download")


@dataclass(slots=True)
class Findings:
    """What a run collects over its steps."""

    proposals: list[EditProposal] = field(default_factory=list)
    verdicts: list[EditVerdict] = field(default_factory=list)
    attacks: list[str] = field(default_factory=list)
    learned: list[str] = field(default_factory=list)


class Step:
    def __init__(
        self,
        bench: Bench,
        goal: Goal,
        scratch: Scratch,
        checked: Checked,
        target: Finding | None,
        *,
        judge: Judge,
        approximate_db: float | None,
        ask: Ask,
        trace: Trace,
        watch: Callable[[str, str], None],
        findings: Findings,
        patience: int,
        rounds: int,
        asks: bool,
    ) -> None:
        self._bench, self._goal, self._scratch, self._checked, self._target = bench, goal, scratch, checked, target
        self._judge, self._approximate_db, self._ask, self._trace, self._watch = (
            judge,
            approximate_db,
            ask,
            trace,
            watch,
        )
        self._findings, self._patience, self._most_rounds = findings, patience, rounds
        self.tools: tuple[AgentTool, ...] = tuple(item for item in all_tools() if asks or not item.asks)
        self._accepted: Judged | None = None
        self._gave_up = ""
        self._best = (-1, -math.inf)
        self._without_progress = 0
        self._proposed_edits: set[tuple[FileEdit, ...]] = set()
        self._talk: Talk | None = None

    def first_messages(self, reason: str) -> tuple[Message, ...]:
        task = prompts.task(self._bench, self._scratch, self._checked, self._goal, self._target, reason)
        self._look_for_instructions(task, "the source")
        return Message("system", prompts.system()), Message("user", task)

    def run(self, talk: Talk) -> Judged:
        """The accepted proposal.

        Raises:
            Ended: without one. Spent: a cap. CancelledError.
        """
        self._talk = talk
        while True:
            if talk.rounds >= self._most_rounds:
                raise Ended(Stopped.BUDGET, f"no proposal held within {talk.rounds} rounds")
            turn = talk.next()
            for number, call in enumerate(turn.calls):
                if self._accepted is not None or self._gave_up:
                    result = "not done: the step has ended"
                elif number >= _MOST_CALLS:
                    result = f"not done: a reply may have {_MOST_CALLS} calls; call it in the next one"
                else:
                    result = self._called(call)
                talk.add(call, result, turn.native)
            if self._accepted is not None:
                return self._accepted
            if self._gave_up:
                raise Ended(Stopped.GAVE_UP, f"the model gives up: {self._gave_up}")
            if self._without_progress >= self._patience:
                raise Ended(
                    Stopped.NO_PROGRESS,
                    f"{self._without_progress} proposals in a row came no further than the best before",
                )

    def _called(self, call: ToolCall) -> str:
        """Run a tool; whatever is wrong with the call is told to the model."""
        known = next((item for item in self.tools if item.spec.name == call.name), None)
        self._watch("tool", call.name)
        if known is None:
            if _POWERS.search(call.name):
                self._attack(f"tool that does not exist ({call.name[:40]})", "a call")
            result = f"there is no tool {call.name!r}; there are {', '.join(item.spec.name for item in self.tools)}"
        else:
            result = self._answer(known, call)
        if call.name != "try_patch":
            self._look_for_instructions(result, f"the answer of {call.name}")
        self._trace.write("tool", name=call.name, arguments=call.arguments, result=result)
        return result

    def _answer(self, known: AgentTool, call: ToolCall) -> str:
        context = Context(
            self._bench,
            self._scratch,
            self._checked,
            self._goal,
            self._target,
            self._propose,
            self._ask,
            self._give_up,
            self._attack,
        )
        try:
            return known.run(context, arguments_of(call.arguments, known.spec))
        except WrongCall as error:
            return f"wrong call: {error}"
        except CancelledError:
            raise
        except AipcError as error:
            return f"the tool failed: {error}"

    def _give_up(self, reason: str) -> None:
        self._gave_up = reason

    def _attack(self, name: str, where: str) -> None:
        reason = f"{name}: {where}"
        if reason not in self._findings.attacks:
            self._findings.attacks.append(reason)
            self._trace.write("attack", name=name, where=where)

    def _look_for_instructions(self, text: str, where: str) -> None:
        if match := _INSTRUCTION.search(text):
            self._attack("instruction inside data", f"{where}: {match.group()[:80]!r}, shown as data")

    def _propose(self, title: str, edits: tuple[FileEdit, ...]) -> str:
        if edits in self._proposed_edits:
            self._without_progress += 1
            return prompts.TWICE
        self._proposed_edits.add(edits)
        proposal = EditProposal(len(self._findings.proposals) + 1, visible(title)[:200], edits)
        self._findings.proposals.append(proposal)
        self._watch("proposal", f"proposal {proposal.number}: {proposal.title}")
        self._trace.write("proposal", proposal=proposal, diff=self._diff(edits))
        judged = self._judge.judge(
            JudgedEdit(proposal, self._scratch, self._checked, self._goal, self._target, self._approximate_db)
        )
        verdict = judged.verdict
        self._findings.verdicts.append(verdict)
        failed = verdict.failed
        summary = "accepted" if failed is None else f"rejected at {failed.name}: {failed.words}"
        self._trace.write("verdict", verdict=verdict, words=summary)
        self._watch("verdict", f"proposal {proposal.number} {summary[:160]}")
        if failed is None:
            self._accepted = judged
        else:
            self._findings.learned.append(f"{proposal.title}: {failed.name}: {failed.words[:300]}")
            if failed.attack:
                self._attack(failed.attack, f"proposal {proposal.number}, gate {failed.name}")
            self._progress(verdict)
        return prompts.verdict(verdict)

    def _progress(self, verdict: EditVerdict) -> None:
        reached = (
            sum(gate.ok for gate in verdict.gates),
            verdict.sqnr_db if verdict.sqnr_db is not None else -math.inf,
        )
        further = reached[0] > self._best[0] or (reached[0] == self._best[0] and reached[1] > self._best[1] + 3.0)
        self._without_progress = 0 if further else self._without_progress + 1
        self._best = max(self._best, reached)

    def _diff(self, edits: tuple[FileEdit, ...]) -> str:
        try:
            return "".join(self._scratch.patched(edits).diffs().values())
        except PatchError:
            return ""
