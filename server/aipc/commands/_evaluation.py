"""What ``aipc evaluate`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from aipc.evaluation.evaluation_report import EvaluationReport

from ._format import table_of


def evaluation_page(report: EvaluationReport) -> Iterator[Any]:
    """The figures of both with their intervals."""
    scores = report.scores
    yield Text(f"{report.model} for {report.soc}, {report.precision}, run on {report.target}", "bold")
    of = f" of {report.total}" if report.total else ""
    yield Text(f"{scores.samples}{of} samples: {report.data_words}")
    table = table_of(scores.metric, "value", "95 % interval")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, value, interval in (
        (report.reference, scores.reference, scores.reference_interval),
        ("package", scores.package, scores.package_interval),
        ("difference", scores.difference, scores.difference_interval),
    ):
        low, high = (_figure(end, scores.unit) for end in interval)
        table.add_row(name, _figure(value, scores.unit), f"{low} to {high}")
    yield table
    if report.most_loss is not None:
        limit = f"allowed loss {_figure(report.most_loss, scores.unit)}"
        yield Text(f"passed, {limit}", "bold green") if report.ok else Text(f"not passed, {limit}", "bold red")
    yield Text(f"worst samples: {report.directory}/evaluation.html")


def _figure(value: float, unit: str) -> str:
    return f"{value:.4g} {unit}".strip()
