"""What ``aipc quantize`` prints for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from aipc.qairt.soc import get_soc

from ._tables import accuracy_table, findings_lines, placement_line, stages_table

if TYPE_CHECKING:
    from aipc.engine import QuantizeReport


def quantize_page(report: QuantizeReport) -> Iterator[Any]:
    yield Text(f"{report.model} for {get_soc(report.soc).title}, {report.precision}", "bold")
    yield stages_table(report.stages)
    if report.placement:
        yield Text(f"placement: {placement_line(report.placement)}")
    if report.accuracy:
        yield accuracy_table(report.accuracy, "integers on the CPU against PyTorch fp32")
    if report.calibration.get("random"):
        yield Text("calibrated with RANDOM NUMBERS: the ranges are those of no data", "bold yellow")
    yield from findings_lines(report.findings)
    if report.output:
        yield Text(f"quantized graph: {report.output}{' (with model.dlc)' if report.dlc else ''}", "bold")
