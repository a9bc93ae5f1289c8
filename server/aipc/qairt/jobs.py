"""Jobs that ask QAIRT, for the worker pool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aipc.core.types import Event, PlacementReport

from .placement import place as place_nodes
from .soc import get_soc


def place(
    report: Callable[[Event], None], *, model: str, soc: str, precision: str, out: str, full: bool
) -> PlacementReport:
    """Placement of every node of ``model`` on ``soc``; the native log goes to ``out``/qnn.log."""
    directory = Path(out)
    directory.mkdir(parents=True, exist_ok=True)
    return place_nodes(
        Path(model),
        get_soc(soc),
        precision=precision,
        finalize=full,
        log_path=directory / "qnn.log",
        progress=lambda message: report(Event("placement", message)),
    )
