"""Two sweeps, cell by cell: what got worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aipc.core.sweeps import Cell, CellResult, CellState, SweepReport

from .comparison import DB_SLACK, Measure, Trend, measure


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """One cell that moved, with the measures that did."""

    cell: Cell
    trend: Trend
    measures: tuple[Measure, ...]
    message: str = ""
    """Why the cell is not verified now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepComparison:
    """``ok`` is False when a cell got worse. Cells that only one sweep has finished are named and judge nothing."""

    ok: bool
    before: str
    after: str
    changes: tuple[CellChange, ...]
    same: int
    added: tuple[Cell, ...] = ()
    removed: tuple[Cell, ...] = ()

    @property
    def worse(self) -> tuple[CellChange, ...]:
        return tuple(change for change in self.changes if change.trend is Trend.WORSE)


def compare_sweeps(before: SweepReport, after: SweepReport) -> SweepComparison:
    """Verdict, nodes that are not on the NPU, and SQNR of every cell that both have finished."""
    old, new = ({item.cell: item for item in report.cells if _is_finished(item)} for report in (before, after))
    changes = []
    for cell, result in new.items():
        if cell not in old:
            continue
        moved = tuple(item for item in _measures(old[cell], result) if item.trend is not Trend.SAME)
        if moved:
            worse = any(item.trend is Trend.WORSE for item in moved)
            trend = Trend.WORSE if worse else Trend.BETTER
            changes.append(CellChange(cell=cell, trend=trend, measures=moved, message=result.message))
    return SweepComparison(
        ok=all(change.trend is not Trend.WORSE for change in changes),
        before=before.name,
        after=after.name,
        changes=tuple(changes),
        same=len(old.keys() & new.keys()) - len(changes),
        added=tuple(cell for cell in new if cell not in old),
        removed=tuple(cell for cell in old if cell not in new),
    )


def _is_finished(result: CellResult) -> bool:
    return result.state not in (CellState.PENDING, CellState.NOT_APPLICABLE)


def _measures(before: CellResult, after: CellResult) -> Iterator[Measure]:
    states = [float(result.state is CellState.VERIFIED) for result in (before, after)]
    yield measure("verified", "", *states, more_is_better=True)
    for place, name in (("cpu", "nodes on the CPU"), ("fails", "nodes that fail")):
        yield measure(name, "", *((result.placement or {}).get(place) for result in (before, after)))
    yield measure("SQNR", "dB", before.sqnr_db, after.sqnr_db, slack=DB_SLACK, more_is_better=True)
