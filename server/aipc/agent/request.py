"""What the agent, and the judgement of somebody's edits, are asked for, as a user says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from aipc.core.errors import InputError
from aipc.core.model_options import APPLY, CALIBRATION, MODEL, PRECISION, SOC
from aipc.core.option import Option, PathKind, option, options_of

from .verdicts import Agreement, Budget, Goal, goal_of


def _agreement(text: str) -> Agreement:
    known = {item.value: item for item in Agreement}
    if text not in known:
        raise InputError(f"{text} is nothing to agree to", remedy=f"use one of {', '.join(known)}")
    return known[text]


_APPROXIMATE = Option(
    help="Also take changes that keep so many dB SQNR in fp32", metavar="DB", flags=("--approximate",), users_word=True
)
_AGREE = Option(
    help="Take changes that are not shown to be equal: approximate (another result, its error measured) or specialized "
    "(not compared on some inputs). Without it you are asked",
    metavar="WHAT",
    parse=_agreement,
    users_word=True,
)
_READABLE = Option(
    help="What the model's code may read outside the project", metavar="PATH", path=PathKind.INPUT, users_word=True
)


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """Edits of a model's source that a language model proposes.

    Args:
        offer: without ``apply``, ask whether to write them.
        unsaved: path -> text of files that an editor has not saved.
        replay: nothing but the replies is taken from the trace.
        seconds: what one run of the model's code may take.
        precision, calibration: as for deploy; edits are judged in what is deployed (see ``agent.integers``).
    """

    model: str = option(MODEL)
    _: KW_ONLY
    goal: Goal = option(
        Option(
            help="deploy: all that stands in the way; export: until it is captured; inputs: its example inputs; or the "
            "code of a finding, with :LINE where there are several",
            default="deploy",
            parse=goal_of,
        ),
        Goal(),
    )
    soc: str | None = option(SOC, None)
    precision: str | None = option(PRECISION, None)
    calibration: str | None = option(CALIBRATION, None)
    budget: Budget = options_of(Budget)
    inputs: Mapping[str, str] | None = None
    apply: bool = option(APPLY, False, help="Write the changes that passed every gate")
    offer: bool = False
    approximate_db: float | None = option(_APPROXIMATE, None)
    agree: tuple[Agreement, ...] = option(_AGREE, ())
    cwd: Path | None = None
    unsaved: Mapping[str, str] = field(default_factory=dict)
    replay: Path | None = option(
        Option(help="Use the replies of a trace; ask no model", metavar="TRACE", path=PathKind.INPUT), None
    )
    resume: Path | None = option(
        Option(help="Go on with a run that was interrupted", metavar="TRACE", path=PathKind.INPUT), None
    )
    readable: tuple[str, ...] = option(_READABLE, ())
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """A judgement of edits that somebody made. The files may have the change already.

    Args:
        goal: of kind ``INPUTS``: only the example inputs may change.
        seconds: what one run of the model's code may take.
    """

    model: str = option(MODEL)
    edits: Path = option(
        Option(
            help="A unified diff (also of a change already made), or JSON",
            agents='The JSON is {"edits": [{"file", "old", "new"}]}.',
            metavar="FILE",
            path=PathKind.INPUT,
        )
    )
    _: KW_ONLY
    goal: Goal = option(
        Option(
            help="A finding that has to go: its code, with :LINE; deploy: none has to", default="deploy", parse=goal_of
        ),
        Goal(),
    )
    soc: str | None = option(SOC, None)
    precision: str | None = option(PRECISION, None)
    calibration: str | None = option(CALIBRATION, None)
    inputs: Mapping[str, str] | None = None
    approximate_db: float | None = option(_APPROXIMATE, None)
    agree: tuple[Agreement, ...] = option(_AGREE, ())
    cwd: Path | None = None
    unsaved: Mapping[str, str] = field(default_factory=dict)
    readable: tuple[str, ...] = option(_READABLE, ())
    seconds: float = 120.0
