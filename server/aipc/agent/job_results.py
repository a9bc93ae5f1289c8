"""What the agent's jobs answer: light, so that any process can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aipc.core.types import OutputAccuracy

from .decisions import Side

STATE = "state-"
"""Begins the names of what belongs to a state of the module and not to a set of inputs."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The original's outputs, written beside the inputs they belong to.

    ``sets``: names of the sets of inputs, ``real`` first. ``dropped``: those that the original itself does not take or
    answers with NaN. ``draws``: it gave other outputs for the same inputs.
    """

    sets: tuple[str, ...]
    dropped: tuple[str, ...]
    arguments: tuple[str, ...]
    """Names of ``forward``'s arguments, one for each tensor where that is clear, else empty."""
    parameters: tuple[str, ...]
    """``name shape dtype`` of every entry of the state."""
    draws: bool = False
    states: tuple[str, ...] = ()
    """States of the module (see ``agent.states``) whose outputs on the example inputs were written, too."""
    floors: Mapping[str, float] = field(default_factory=dict)
    """Set -> SQNR in dB of the original in fp32 against itself in fp64: what no other fp32 form can be held to."""
    uncovered: tuple[Side, ...] = ()
    """Sides of the original's decisions that none of the sets takes."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Outputs of the patched model in eager PyTorch, one file for each set that did not raise."""

    sets: tuple[str, ...]
    raised: str
    """Of the first set that raised, its name and the error; empty when none did."""
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SideComparison:
    """One set of inputs on one side held against the original: ``side`` is eager, graph, simulator or ordinary."""

    set: str
    side: str
    outputs: tuple[OutputAccuracy, ...]
    reason: str = ""
    """Why it could not be compared; empty when it was."""


@dataclass(frozen=True, slots=True)
class OrdinaryAnswers:
    """What a model answered in an ordinary process, one file for each of ``sets``.

    ``raised``: why it went no further, ``tried``: what it tried and was refused; both are empty when all went well.
    """

    sets: tuple[str, ...]
    raised: str = ""
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrdinaryComparison:
    """A changed model's answers in an ordinary process against those that were judged.

    ``original``: the same of the original, which says what can be compared at all.
    """

    original: tuple[SideComparison, ...]
    changed: tuple[SideComparison, ...]
    original_answers: OrdinaryAnswers
    changed_answers: OrdinaryAnswers
