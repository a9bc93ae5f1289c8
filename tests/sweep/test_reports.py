"""The document, the page and the comparison of sweeps."""

from __future__ import annotations

import math

import pytest

from aipc.core import plain_data
from aipc.core.sweeps import Cell, CellResult, CellState, SweepReport
from aipc.core.types import RemedyRecord
from aipc.report.comparison import Trend
from aipc.report.sweep_comparison import compare_sweeps
from aipc.report.sweep_page import render_sweep


def cell(model: str, soc: str = "sm8650") -> Cell:
    return Cell(model=model, soc=soc, precision="fp16")


def report(*results: CellResult) -> SweepReport:
    return SweepReport(name="s", directory="/s", ok=False, done=True, cells=results, environment={"qairt": "2.51"})


def result(model: str, state: CellState = CellState.VERIFIED, sqnr_db: float | None = 60.0, cpu: int = 0) -> CellResult:
    return CellResult(cell=cell(model), state=state, sqnr_db=sqnr_db, placement={"npu": 9, "cpu": cpu, "fails": 0})


@pytest.mark.parametrize(
    ("before", "after", "trend"),
    [
        (result("m"), result("m", CellState.FAILED), Trend.WORSE),
        (result("m", CellState.ERROR), result("m"), Trend.BETTER),
        (result("m"), result("m", CellState.TIMEOUT), Trend.WORSE),
        (result("m"), result("m", sqnr_db=59.8), Trend.WORSE),
        (result("m"), result("m", sqnr_db=59.95), None),
        (result("m"), result("m", sqnr_db=61.0), Trend.BETTER),
        (result("m", sqnr_db=math.inf), result("m"), Trend.WORSE),
        (result("m"), result("m", cpu=1), Trend.WORSE),
        (result("m", CellState.ERROR, None), result("m", CellState.FAILED, None), None),
        (result("m", CellState.PENDING), result("m", CellState.FAILED), None),
    ],
)
def test_a_cell_got_worse_or_better(before: CellResult, after: CellResult, trend: Trend | None) -> None:
    comparison = compare_sweeps(report(before), report(after))
    assert [change.trend for change in comparison.changes] == ([trend] if trend else [])
    assert comparison.ok == (trend is not Trend.WORSE)


def test_cells_of_one_sweep_only_are_named_and_judge_nothing() -> None:
    comparison = compare_sweeps(report(result("a"), result("b")), report(result("b"), result("c", CellState.FAILED)))
    assert comparison.ok and comparison.same == 1
    assert [item.model for item in (*comparison.added, *comparison.removed)] == ["c", "a"]


def test_the_document_is_read_back_as_it_was_written() -> None:
    remedy = RemedyRecord(
        name="rewrite-coarse", stage="verify", failure="", measure="", attempts=1, helped=True, seconds=1.0
    )
    document = report(
        CellResult(cell=cell("m"), state=CellState.FAILED, sqnr_db=math.inf, remedies=(remedy,)),
        CellResult(cell=cell("n"), state=CellState.PENDING),
    )
    assert plain_data.loads(plain_data.dumps(document), SweepReport) == document


def test_the_page_has_every_cell_and_no_markup_from_outside() -> None:
    bad = CellResult(
        cell=cell("<b>m</b>"), state=CellState.ERROR, message="<script>x</script>", report="cells/a b/report.html"
    )
    other = CellResult(cell=cell("n", "sm8750"), state=CellState.VERIFIED, sqnr_db=60.0, ideal_fp16_sqnr_db=61.0)
    page = render_sweep(report(bad, other))
    assert "<script>x" not in page and "<b>m</b>" not in page
    assert "&lt;script&gt;x" in page and 'href="cells/a%20b/report.html"' in page
    assert page.count('class="cell"') == 2
    assert 'data-state="error" data-soc="sm8650"' in page and 'data-state="verified" data-soc="sm8750"' in page
    assert "60.0 dB" in page and "61.0 dB" in page
