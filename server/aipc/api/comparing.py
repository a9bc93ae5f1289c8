"""``aipc.compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aipc import engine
from aipc.core import types
from aipc.core.errors import InputError
from aipc.report import comparison

from .results import Comparison


def compare(before: types.DeployReport | str | Path, after: types.DeployReport | str | Path) -> Comparison:
    """What got worse from one deployment to another: placement, accuracy, size, planned DDR traffic, latency.

    Args:
        before, after: a report of :func:`aipc.deploy`, or the directory of a run or a package.

    Raises:
        InputError: a directory has no report, or an argument is something else.
    """
    return Comparison.of(comparison.compare_reports(_report(before), _report(after)))


def _report(item: Any) -> types.DeployReport:
    if isinstance(item, types.DeployReport):
        return item
    if isinstance(item, (str, Path)):
        return engine.read_report(item, Path.cwd())
    raise InputError(
        f"an object of type {type(item).__name__} cannot be compared",
        remedy="give reports of aipc.deploy, or directories of runs or packages",
    )
