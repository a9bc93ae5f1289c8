"""Read the per-node profile that QAIRT writes (``profiling_level=detailed``, a CSV file).

A row of a node reads ``<onnx node>[_token_N]:OpId_M (cycles)``. Cycles counted by the simulator are time
of the host
computer: only a profile from a device says anything about the device, so the caller states where it was
    taken.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aipc.core.errors import QairtError

_EVENT = re.compile(r"^(?P<op>.+):OpId_(?P<id>\d+)\s+\((?P<unit>[^)]*)\)$")
_COLUMNS = {"Message", "Time", "Event Identifier"}
_WHOLE = {"us": "Accelerator (execute) time", "cycles": "Accelerator (execute) time (cycles)"}
_TIME = 2
_TOKEN = re.compile(r"_token_\d+(?:_\d+)*$")


@dataclass(frozen=True, slots=True)
class ProfiledOp:
    """One QNN operator of the compiled graph. ``node`` is the ONNX node it was made from, "" when none is
    known.
    """

    node: str
    qnn_op: str
    op_id: int
    value: int
    unit: str


def read_profile(path: str | Path, nodes: Collection[str] = ()) -> tuple[ProfiledOp, ...]:
    """Parse a profile CSV into one entry for each operator, in the file's order.

    Args:
        nodes: names of the ONNX graph's nodes; an operator is attributed to the longest name that its own
            name is, or starts with.

    Raises:
        QairtError: the file is missing or has no event column.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8", errors="replace") as file:
            rows = list(csv.reader(file, skipinitialspace=True))
    except OSError as error:
        raise QairtError(f"the profile {path} cannot be read", detail=str(error)) from error
    header = next((row for row in rows if set(row) >= _COLUMNS), None)
    if header is None:
        raise QairtError(f"{Path(path).name} is not a QNN profile", remedy="run with profiling_level=detailed")
    kind, value, event = (header.index(column) for column in ("Message", "Time", "Event Identifier"))
    known = sorted(nodes, key=len, reverse=True)
    ops = []
    for row in rows:
        if len(row) <= max(kind, value, event) or row[kind] != "NODE" or not row[value].isdigit():
            continue
        match = _EVENT.match(row[event].strip())
        if match is not None:
            name = match["op"]
            ops.append(ProfiledOp(_node_of(name, known), name, int(match["id"]), int(row[value]), match["unit"]))
    return tuple(ops)


def by_node(ops: tuple[ProfiledOp, ...]) -> dict[str, int]:
    """Sum of each ONNX node's values, largest first. Operators of no known node are summed under ""."""
    totals: dict[str, int] = {}
    for op in ops:
        totals[op.node] = totals.get(op.node, 0) + op.value
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def attribute(values: Mapping[str, int | float], nodes: Collection[str]) -> dict[str, int | float]:
    """Sum of each ONNX node's values, from values by QNN operator name. Operators of no known node are under ""."""
    known = sorted(nodes, key=len, reverse=True)
    totals: dict[str, int | float] = {}
    for op, value in values.items():
        node = _node_of(op, known)
        totals[node] = totals.get(node, 0) + value
    return totals


def read_rate(path: str | Path) -> float | None:
    """Microseconds of one cycle: QAIRT gives the time of a whole inference in both. None when it does not."""
    counts: dict[str, int] = {}
    try:
        with Path(path).open(newline="", encoding="utf-8", errors="replace") as file:
            for row in csv.reader(file, skipinitialspace=True):
                for unit, unit_name in _WHOLE.items():
                    if unit_name in row:
                        counts[unit] = int(row[_TIME])
    except (OSError, ValueError, IndexError):
        return None
    return counts["us"] / counts["cycles"] if counts.get("us") and counts.get("cycles") else None


def _node_of(qnn_op: str, known: list[str]) -> str:
    plain = _TOKEN.sub("", qnn_op)
    for name in known:
        if plain == name or qnn_op == name:
            return name
    for name in known:
        rest = plain[len(name) :]
        if plain.startswith(name) and rest[:1] in "_/" and name:
            return name
    return ""
