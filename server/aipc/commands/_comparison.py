"""What ``aipc compare`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from aipc.report.comparison import Comparison, Trend, figure

from ._format import table_of

_STYLES = {Trend.WORSE: "bold red", Trend.BETTER: "green", Trend.SAME: ""}


def comparison_page(comparison: Comparison) -> Iterator[Any]:
    """The table of measures, and the findings that came and went."""
    yield Text(f"{comparison.model}: {comparison.before} against {comparison.after}", "bold")
    measures = table_of("measure", "before", "after", "")
    for column in measures.columns[1:3]:
        column.justify = "right"
    for item in comparison.measures:
        moved = "" if item.trend is Trend.SAME else item.trend.value
        measures.add_row(
            item.name,
            figure(item.before, item.unit),
            figure(item.after, item.unit),
            Text(moved, _STYLES[item.trend]),
        )
    yield measures
    yield from (Text(f"new finding: {text}", "yellow") for text in comparison.findings_added)
    yield from (Text(f"finding gone: {text}", "green") for text in comparison.findings_removed)
    yield Text("nothing got worse", "bold green") if comparison.ok else Text("something got worse", "bold red")
