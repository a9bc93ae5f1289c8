"""What the agent is asked for, what it may use, and what it answers. Frozen and plain, as all that crosses a border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aipc.core.errors import InputError
from aipc.core.option import Option, option
from aipc.core.types import Finding, OutputAccuracy, Range


class GoalKind(str, Enum):
    """What the agent works on.

    ``FINDING``: one finding that no proved rule solves. ``DEPLOY``: every error and warning, then deploy's own gates.
    ``EXPORT``: the model loads and can be captured. ``INPUTS``: example inputs; without them nothing can be checked.
    """

    FINDING = "finding"
    DEPLOY = "deploy"
    EXPORT = "export"
    INPUTS = "inputs"


@dataclass(frozen=True, slots=True)
class Goal:
    """``rule``, ``line`` and ``nodes`` choose the finding of a goal of kind ``FINDING``; what is empty is not asked."""

    kind: GoalKind = GoalKind.DEPLOY
    rule: str = ""
    file: str = ""
    line: int = 0
    """1-based; 0 for any."""
    nodes: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        if self.kind is not GoalKind.FINDING:
            return str(self.kind.value)
        where = f" at line {self.line}" if self.line else ""
        return f"finding {self.rule or 'any'}{where}"

    def names(self, finding: Finding) -> bool:
        """Whether ``finding`` is one that a goal of kind ``FINDING`` means."""
        if self.rule and finding.rule != self.rule:
            return False
        if self.nodes and not set(self.nodes) & set(finding.nodes):
            return False
        place = finding.range
        if self.line and (place is None or not place.start.line <= self.line <= place.end.line):
            return False
        return not (self.file and (place is None or place.file != self.file))


def goal_of(text: str) -> Goal:
    """The goal that somebody wrote: ``deploy``, ``export``, ``inputs``, or a finding's rule with ``:LINE``.

    Raises:
        InputError: what follows the colon is no line number.
    """
    if text in {"deploy", "export", "inputs"}:
        return Goal(GoalKind(text))
    rule, _, line = text.partition(":")
    if line and not line.isdigit():
        raise InputError(f"{line} is not the number of a line", remedy="write the goal as RULE or RULE:LINE")
    return Goal(GoalKind.FINDING, rule, line=int(line or 0))


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps of one run. They hold to the token: a request that could exceed one is made smaller or not sent."""

    tokens: int = option(Option(help="Cap on prompt and completion tokens together", minimum=1), 200_000)
    seconds: float = option(Option(help="Cap on the time of the whole run", minimum=1), 1800.0)
    cost: float | None = option(Option(help="Cap on the cost; needs the prices of tokens"), None)
    """In the currency of the prices."""
    rounds: int = option(Option(help="Most replies for one finding", minimum=1), 30)
    patience: int = 4
    """Rejected proposals in a row, none of which came further than the best before it."""
    reply_tokens: int = 8_000
    """Of one reply, reasoning included."""
    input_price: float | None = None
    """For one million prompt tokens."""
    output_price: float | None = None
    """For one million completion tokens."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the endpoint counts them; ``estimated`` counts, among these, what it did not tell (an upper bound)."""

    requests: int = 0
    prompt: int = 0
    completion: int = 0
    estimated: int = 0
    seconds: float = 0.0
    cost: float | None = None
    """None where no prices are known."""

    @property
    def tokens(self) -> int:
        return self.prompt + self.completion


@dataclass(frozen=True, slots=True)
class FileEdit:
    """``old`` stands exactly once in ``file`` (relative to the project's root) and becomes ``new``."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class EditProposal:
    """What the model wants to change."""

    number: int
    title: str
    edits: tuple[FileEdit, ...]


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate of the judgement, with what was measured. ``words`` goes back to the model."""

    name: str
    ok: bool
    words: str = ""
    figures: tuple[OutputAccuracy, ...] = ()
    attack: str = ""
    """Set when the gate stopped an attempt on the bounds: which one, in words."""


@dataclass(frozen=True, slots=True)
class EditVerdict:
    """The judgement of one proposal: its gates in order, up to the first that is not passed."""

    proposal: int
    gates: tuple[GateResult, ...]
    approximate: bool = False
    """The numbers differ by more than rounding; accepted only with the user's word."""
    sqnr_db: float | None = None
    """The worst output against the original in fp32, on all inputs."""
    max_abs: float | None = None
    simulator_sqnr_db: float | None = None
    findings: tuple[Finding, ...] = ()
    """What is left of errors and warnings after the change."""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return bool(self.gates) and all(gate.ok for gate in self.gates)

    @property
    def failed(self) -> GateResult | None:
        return next((gate for gate in self.gates if not gate.ok), None)


class Agreement(str, Enum):
    """What a user may agree to.

    ``APPROXIMATE``: other numbers, with a measured error. ``SPECIALIZED``: numbers that could not be compared
    everywhere, such as a side of a branch that no input was found for.
    """

    APPROXIMATE = "approximate"
    SPECIALIZED = "specialized"

    @classmethod
    def needed(cls, sqnr_db: float | None) -> Agreement:
        """What a change needs: ``sqnr_db`` is its measured SQNR in fp32, None where it could not be measured."""
        return cls.SPECIALIZED if sqnr_db is None else cls.APPROXIMATE


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """The judgement of edits that somebody else made. Nothing is written."""

    model: str
    soc: str
    precision: str
    goal: Goal
    ok: bool
    verdict: EditVerdict
    diffs: Mapping[str, str]
    """File -> unified diff of what was judged."""
    title: str = ""
    qairt: str = ""


class Stopped(str, Enum):
    """Why a run ended."""

    SOLVED = "solved"
    NO_PROGRESS = "no-progress"
    BUDGET = "budget"
    GAVE_UP = "gave-up"
    REFUSED = "refused"
    BAD_REPLIES = "bad-replies"
    ENDPOINT = "endpoint"
    NEEDS_USER = "needs-user"
    CANCELLED = "cancelled"
    NOTHING_TO_DO = "nothing-to-do"


@dataclass(frozen=True, slots=True)
class AgentReport:
    """The result of a run. Nothing of the user's is changed unless ``applied``.

    ``edits`` and ``diffs`` are the changes that passed every gate; where the goal was not reached, they are the best
    partial result. ``proof`` is the last accepted proposal's verdict, in figures.
    """

    model: str
    soc: str
    goal: Goal
    ok: bool
    stopped: Stopped
    words: str
    """One sentence: what was reached, or what was learned and why it ended."""
    edits: tuple[tuple[Range, str], ...]
    """Minimal edits of the files as they are now; the file's own path in each range."""
    diffs: Mapping[str, str]
    proof: EditVerdict | None
    accepted: tuple[EditProposal, ...]
    verdicts: tuple[EditVerdict, ...]
    usage: Usage
    trace: str
    """Directory with journal.jsonl (for replay and resume) and trace.md (to read)."""
    left: tuple[Finding, ...] = ()
    learned: tuple[str, ...] = ()
    """What was measured of proposals that did not hold, one sentence each."""
    attacks: tuple[str, ...] = ()
    """Attempts on the bounds that were stopped, by name."""
    capsule: str | None = None
    applied: bool = False
    backup: str | None = None
    """Where the files lie as they were before the changes were written."""
    endpoint: str = ""
    """Model and where it is asked; never a key."""
    qairt: str = ""
    precision: str = "fp16"
    """What the changes were judged in."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
