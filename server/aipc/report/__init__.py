"""The report of a run: ``report.json`` for programs, ``report.html`` for people, one self-contained file each."""

from __future__ import annotations

import shutil
from pathlib import Path

from aipc.core import json as plain
from aipc.core.cache import storage_errors
from aipc.core.types import DeployReport

from .html import render


def write_reports(report: DeployReport, directory: Path, package: Path | None) -> None:
    """Write both files into the run's ``directory`` and, when there is one, into the package."""
    with storage_errors(directory):
        (directory / "report.json").write_text(plain.dumps(report), "utf-8")
        (directory / "report.html").write_text(render(report), "utf-8")
        if package:
            for name in ("report.json", "report.html"):
                shutil.copyfile(directory / name, package / name)
