"""What is known of an application, as plain data that crosses process borders and is printed by ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aipc.core.answers import Answer
from aipc.core.types import CheckReport, DeployReport, Gate


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """One graph of an application. ``tolerance``: its gates' own thresholds."""

    tolerance: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a recipe makes of an object."""

    application: str
    family: str
    runner: str
    options: Mapping[str, int]
    graphs: Mapping[str, GraphPlan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, the files that it depends on (path -> SHA-256), and the files among the samples."""

    plan: Plan
    files: Mapping[str, str]
    sample_files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDivergence:
    """Where a package's answer first differs from PyTorch's.

    Args:
        position: index among the answer's tokens.
        expected, answer: PyTorch's token and the package's; None where one had ended.
        margin: by how much PyTorch's logit of its own token was higher; None: the other is not among its likeliest.
        tie: the two are as likely within rounding, so that either is right.
    """

    sample: str
    position: int
    expected: int | None
    answer: int | None
    margin: float | None
    tie: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCheckReport:
    application: str
    family: str
    graphs: Mapping[str, CheckReport]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppReport:
    """An application deployed, or verified again. ``graphs`` is empty in the second case."""

    application: str
    family: str
    soc: str
    precision: str
    target: str
    ok: bool
    gate: Gate | None
    answers: tuple[Answer, ...] = ()
    expected: tuple[Answer, ...] = ()
    """PyTorch's answers."""
    divergences: tuple[AnswerDivergence, ...] = ()
    genie: Gate | None = None
    """The answers of Qualcomm's Genie from the same package; None where it was not run."""
    genie_note: str = ""
    """Why Genie was not run."""
    graphs: Mapping[str, DeployReport] = field(default_factory=dict)
    package: str | None = None
    size_bytes: int = 0
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRunReport:
    application: str
    package: str
    target: str
    answers: tuple[Answer, ...]
    tokens_per_second: float | None
    """None on the simulator, whose time says nothing of a device."""
