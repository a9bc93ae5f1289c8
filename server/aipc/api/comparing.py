"""``aipc.compare``."""

from __future__ import annotations

from pathlib import Path

from aipc import engine
from aipc.core import types
from aipc.report import comparison

from .results import Comparison


def compare(before: types.DeployReport | str | Path, after: types.DeployReport | str | Path) -> Comparison:
    """What got worse from one deployment to another: placement, accuracy, size, planned DDR traffic, latency.

    Args:
        before, after: a report of :func:`aipc.deploy`, or the directory of a run or a package.

    Raises:
        InputError: a directory has no report.
    """
    reports = [
        item if isinstance(item, types.DeployReport) else engine.read_report(item, Path.cwd())
        for item in (before, after)
    ]
    return Comparison.of(comparison.compare_reports(*reports))
