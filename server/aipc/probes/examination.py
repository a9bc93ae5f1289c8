"""What the jobs of this package return: light, so that any process can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from aipc.core.types import OutputAccuracy, Range


class Cause(str, Enum):
    """Why a captured graph and PyTorch differ, as far as it was measured."""

    RANDOM = "random numbers"
    STATE = "changed state"
    PRECISION = "rounding in fp32"
    TIES = "the order of equal values"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where and why a captured graph leaves PyTorch.

    ``nodes``: captured nodes of the first expression whose value differs; empty where none could be told.
    ``floor_db``: SQNR of PyTorch in fp32 against itself in fp64 and against its answer to inputs one rounding step off,
    the worse of the two: no fp32 graph can be held to more. ``exact_db``: of the graph in fp64 against PyTorch in fp64:
    whether both are the same function, rounding apart. None where it could not be measured.
    ``detail``: what is known of the cause, for people: the operator, the buffer.
    """

    cause: Cause
    nodes: tuple[str, ...] = ()
    floor_db: float | None = None
    exact_db: float | None = None
    value_sqnr_db: float | None = None
    detail: str = ""
    place: Range | None = None
    """The author's expression, for values that no node of the graph stands for."""
    text: str = ""
    """The first line of ``place`` when it was found: a cached divergence is no longer there when the line has moved."""

    @property
    def is_fault(self) -> bool:
        """Whether the graph is another function than PyTorch's; rounding and open orders are none."""
        return self.cause not in {Cause.PRECISION, Cause.TIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRun:
    """One probe on PyTorch and on the captured graph in fp32. Its files are ``NAME.npz`` and ``NAME.reference.npz``.

    ``outside``: its values are far outside of the example's range.
    ``finite``: PyTorch's answer has a finite value in every output; ``divergence`` where graph and PyTorch differ.
    """

    name: str
    title: str
    kind: str
    edge: bool
    outside: bool
    inputs: tuple[str, ...]
    finite: bool
    accuracy: tuple[OutputAccuracy, ...]
    divergence: Divergence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An input set that PyTorch gives no answer for, or that no time was left for."""

    name: str
    title: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """All probes of a captured model, the most telling first. ``call_seconds``: the fastest call of PyTorch."""

    probes: tuple[ProbeRun, ...]
    left_out: tuple[LeftOut, ...]
    seconds: float
    call_seconds: float = 0.0
    producers: Mapping[str, str] = field(default_factory=dict)
    """Graph output -> the captured node that computes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageProbe:
    """A probe on the package: its outputs' distances to PyTorch, and those of correctly rounded fp16 runs.

    ``ideal``: rounded as the NPU does, which has no infinities. ``ieee``: with infinities and NaN. Both are empty where
    nobody asked: the package was near enough; ``ieee`` of a quantized package too.
    ``usual_db``: of a quantized package, the mean power of an output on held-out samples over that of its error on the
    probe, in dB.
    """

    name: str
    accuracy: tuple[OutputAccuracy, ...]
    ideal: tuple[OutputAccuracy, ...] = ()
    ieee: tuple[OutputAccuracy, ...] = ()
    usual_db: Mapping[str, float] = field(default_factory=dict)
