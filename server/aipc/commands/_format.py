"""How paths, figures and tables look in a terminal."""

from __future__ import annotations

import math
from pathlib import Path

from rich import box
from rich.table import Table


def short_path(path: str) -> str:
    """Relative to the current directory where it is below it."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def decibels(value: float | None) -> str:
    """For example ``41.3 dB``; empty where nothing was measured."""
    if value is None or math.isnan(value):
        return ""
    return "exact" if value == math.inf else f"{value:.1f} dB"


def table_of(*headers: str) -> Table:
    """An empty table with these columns."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table
