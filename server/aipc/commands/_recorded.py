"""What ``aipc verify --recorded`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from aipc.engine import RecordedReport

from ._format import table_of
from ._tables import findings_lines


def recorded_page(report: RecordedReport) -> Iterator[Any]:
    """Ranges of the inputs, the samples against PyTorch, and the findings."""
    yield Text(f"{report.model} for {report.soc}, {report.precision}, replayed on {report.target}", "bold")
    yield Text(f"runs recorded: {report.runs}, inputs kept: {len(report.samples)}, reference {report.reference}")
    inputs = table_of("input", "recorded", "calibrated", "clipped", "of the range")
    for item in report.inputs:
        recorded = "nothing finite" if item.low is None else f"{item.low:.4g} to {item.high:.4g}"
        calibrated = "floats" if item.calibrated is None else f"{item.calibrated[0]:.4g} to {item.calibrated[1]:.4g}"
        used = "" if item.used is None else f"{item.used:.1%}"
        inputs.add_row(
            item.name, recorded, calibrated, f"{item.clipped:.2%}", used, style="red" if item.drifted else ""
        )
    yield inputs
    if report.samples:
        samples = table_of("sample", "worst output", "package, dB", "device, dB")
        for sample in sorted(report.samples, key=lambda item: item.sqnr_db)[:10]:
            device = "" if sample.recorded_sqnr_db is None else f"{sample.recorded_sqnr_db:.1f}"
            style = "" if sample.ok else "red"
            samples.add_row(sample.file, sample.output, f"{sample.sqnr_db:.1f}", device, style=style)
        yield samples
    yield from findings_lines(report.findings)
    if report.ok:
        yield Text(f"as calibrated, at least {report.threshold_db:.1f} dB", "bold green")
    else:
        yield Text(f"not as calibrated, or below {report.threshold_db:.1f} dB", "bold red")
