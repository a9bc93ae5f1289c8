"""The page of a sweep: a matrix of models and chips, a filter, and links to the deployments' own reports."""

from __future__ import annotations

from aipc.core.sweeps import CellResult, SweepReport

from .notebook import environment


def render_sweep(report: SweepReport) -> str:
    """One file without outside references; links to the reports are relative. Every text is escaped."""
    columns = list(dict.fromkeys((item.cell.soc, item.cell.precision) for item in report.cells))
    rows: dict[str, dict[tuple[str, str], CellResult]] = {}
    for item in report.cells:
        rows.setdefault(item.cell.model, {})[item.cell.soc, item.cell.precision] = item
    states = {state.value: report.count(state) for state in dict.fromkeys(item.state for item in report.cells)}
    page: str = (
        environment().get_template("sweep.html").render(report=report, columns=columns, rows=rows, states=states)
    )
    return page
