"""The per-node profile that a runner wrote, as a run's result carries it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipc.qairt.profile import read_profile, read_rate


def node_profile(table: Path, measured_on: str) -> Mapping[str, Any] | None:
    """``{"unit", "measured_on", "nodes": {QNN operator: value}}``; None when QAIRT wrote no rows of nodes.

    Cycles are turned into microseconds where QAIRT gives the whole inference in both.

    Args:
        measured_on: ``device``, or ``host`` for a simulator's: those are no times of a device.
    """
    ops = read_profile(table)
    if not ops:
        return None
    nodes: dict[str, float] = {}
    for op in ops:
        nodes[op.qnn_op] = nodes.get(op.qnn_op, 0) + op.value
    rate = read_rate(table) if measured_on == "device" else None
    if rate is not None:
        nodes = {name: round(value * rate, 3) for name, value in nodes.items()}
    return {"unit": "us" if rate is not None else "cycles", "measured_on": measured_on, "nodes": nodes}
