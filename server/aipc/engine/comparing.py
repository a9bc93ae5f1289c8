"""Compare two deployments: runs, packages or their report files."""

from __future__ import annotations

import json
from pathlib import Path

from cattrs import BaseValidationError

from aipc.core import plain_data
from aipc.core.config import load_config
from aipc.core.errors import InputError
from aipc.core.types import DeployReport
from aipc.report.comparison import Comparison, compare_reports


def compare(before: str | Path, after: str | Path, cwd: Path | None = None) -> Comparison:
    """What got worse from one deployment to another.

    Args:
        before, after: a run's or a package's directory, its report.json, or the name of a run of this project.

    Raises:
        InputError: one has no report that can be read.
    """
    where = (cwd or Path.cwd()).resolve()
    return compare_reports(read_report(before, where), read_report(after, where))


def read_report(place: str | Path, cwd: Path) -> DeployReport:
    """The report of a run or a package. Raises InputError."""
    path = cwd / Path(place).expanduser()
    if not path.exists():
        path = load_config(cwd).root / ".aipc" / "runs" / str(place)
    if path.is_dir():
        path = path / "report.json"
    try:
        return plain_data.loads(path.read_text("utf-8"), DeployReport)
    except FileNotFoundError:
        raise InputError(
            f"{place} has no report", remedy="give a run or a package that aipc deploy wrote; aipc runs lists them"
        ) from None
    except (OSError, ValueError, json.JSONDecodeError, BaseValidationError) as error:
        raise InputError(
            f"{path} is no report of this version of AIPC", remedy="deploy again", detail=str(error)
        ) from error
