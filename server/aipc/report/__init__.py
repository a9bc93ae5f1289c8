"""The report of a run: ``report.json`` for programs, ``report.html`` for people, one self-contained file each."""

from __future__ import annotations

from pathlib import Path

from aipc.core import plain_data
from aipc.core.cache import storage_errors
from aipc.core.types import DeployReport

from .html import render


def write_reports(report: DeployReport, directory: Path) -> tuple[Path, ...]:
    """Write both files into the run's ``directory``; their paths."""
    with storage_errors(directory):
        (directory / "report.json").write_text(plain_data.dumps(report), "utf-8")
        (directory / "report.html").write_text(render(report), "utf-8")
    return directory / "report.json", directory / "report.html"
