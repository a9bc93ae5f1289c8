"""What ``aipc sweep`` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.text import Text

from aipc.core.sweeps import Cell, CellResult, CellState, SweepReport
from aipc.report.comparison import Trend, figure
from aipc.report.sweep_comparison import CellChange, SweepComparison

from ._format import decibels, short_path, table_of

_MESSAGE = 160
"""Characters of a message in the table; the page and the document have all of it."""
_STYLES = {
    CellState.VERIFIED: "green",
    CellState.FAILED: "bold red",
    CellState.ERROR: "bold red",
    CellState.TIMEOUT: "bold yellow",
}


def sweep_page(report: SweepReport, comparison: SweepComparison | None = None) -> Iterator[Any]:
    """Every cell, how many ended how, where the page is, and what moved since an earlier sweep."""
    table = table_of("model", "chip", "precision", "state", "SQNR", "ideal fp16", "CPU", "seconds", "peak MB", "")
    for column in table.columns[4:9]:
        column.justify = "right"
    for item in report.cells:
        table.add_row(*_row(item))
    yield table
    counts = ((state, report.count(state)) for state in CellState)
    yield Text(", ".join(f"{count} {state.value}" for state, count in counts if count), "bold")
    yield Text(f"page: {short_path(str(Path(report.directory) / 'index.html'))}")
    if comparison:
        yield from _comparison(comparison)


def _row(item: CellResult) -> tuple[str | Text, ...]:
    off = sum((item.placement or {}).get(place, 0) for place in ("cpu", "fails"))
    return (
        item.cell.model,
        item.cell.soc,
        item.cell.precision,
        Text(item.state.value, _STYLES.get(item.state, "dim")),
        decibels(item.sqnr_db),
        decibels(item.ideal_fp16_sqnr_db),
        str(off) if item.placement else "",
        f"{item.seconds:.0f}" if item.seconds else "",
        f"{item.peak_memory_mb:.0f}" if item.peak_memory_mb is not None else "",
        textwrap.shorten(item.message, _MESSAGE, placeholder=" …"),
    )


def _comparison(comparison: SweepComparison) -> Iterator[Any]:
    yield Text(f"{comparison.after} against {comparison.before}", "bold")
    for change in comparison.changes:
        yield Text(_change(change), "bold red" if change.trend is Trend.WORSE else "green")
    for cells, name in ((comparison.added, "only now"), (comparison.removed, "only before")):
        if cells:
            yield Text(f"{name}: {', '.join(map(_cell, cells))}", "dim")
    verdict = f"{len(comparison.worse)} cells got worse" if comparison.worse else "no cell got worse"
    yield Text(f"{verdict}, {comparison.same} are the same", "bold green" if comparison.ok else "bold red")


def _change(change: CellChange) -> str:
    moved = ", ".join(
        f"{item.name} {figure(item.before, item.unit)} -> {figure(item.after, item.unit)}" for item in change.measures
    )
    return f"{change.trend.value}: {_cell(change.cell)}: {moved}{f': {change.message}' if change.message else ''}"


def _cell(cell: Cell) -> str:
    return f"{cell.model} for {cell.soc} in {cell.precision}"
