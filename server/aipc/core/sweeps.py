"""A sweep: models x chips x precisions, each combination one cell with one result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .types import RemedyRecord


class CellState(str, Enum):
    """How a cell ended."""

    VERIFIED = "verified"
    FAILED = "failed"
    """A gate was not passed."""
    ERROR = "error"
    """A stage could not be run."""
    TIMEOUT = "timeout"
    NOT_APPLICABLE = "not applicable"
    """The chip cannot compute in this precision."""
    PENDING = "pending"
    """Not done yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One model for one chip in one precision."""

    model: str
    soc: str
    precision: str

    @property
    def name(self) -> str:
        """Its directory's name below the sweep's."""
        return f"{self.model}-{self.soc}-{self.precision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What came of one cell. ``sqnr_db`` is the worst output's, with what a correctly rounded fp16 run has."""

    cell: Cell
    state: CellState
    message: str = ""
    """Why it is not verified, in one sentence."""
    stage: str = ""
    """The stage that failed."""
    sqnr_db: float | None = None
    ideal_fp16_sqnr_db: float | None = None
    placement: Mapping[str, int] | None = None
    """Nodes by place: ``npu``, ``cpu``, ``fails``."""
    findings: Mapping[str, int] = field(default_factory=dict)
    """Code of a finding -> how many."""
    rewrites: str = ""
    remedies: tuple[RemedyRecord, ...] = ()
    seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage."""
    peak_memory_mb: float | None = None
    """Of the process that ran it and all below it; pages that several share are counted once."""
    report: str | None = None
    """Path of its report.html, from the sweep's directory."""
    package: str | None = None
    worker: str = ""
    """Host and process that ran it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """The result document of a sweep. ``ok``: every cell that applies is verified."""

    name: str
    directory: str
    ok: bool
    done: bool
    """No cell is pending."""
    cells: tuple[CellResult, ...]
    environment: Mapping[str, str]
    """Versions that the results depend on."""

    def count(self, state: CellState) -> int:
        return sum(result.state is state for result in self.cells)
