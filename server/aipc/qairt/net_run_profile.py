"""The profile of ``qnn-net-run`` as ``qnn-profile-viewer`` writes it (CSV): times of the inferences and of the nodes.

Columns and events are those of QAIRT's profile viewer: ``EXECUTE`` rows of the source ``NETRUN`` are what the program
measured of one inference, those of the source ``BACKEND`` what the NPU's driver did; ``NODE`` rows are operators.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aipc.core.errors import QairtError

from .profile import read_profile

_MICROSECONDS = {"US", "MICROSEC"}
_ACCELERATOR = "QNN accelerator (execute) time"
_TOKEN = re.compile(r"_token_\d+(?:_\d+)*$")


@dataclass(frozen=True, slots=True)
class NetRunProfile:
    """Microseconds of each inference; ``nodes`` are values of one node, in ``unit``."""

    inferences: tuple[int, ...]
    accelerator: tuple[int, ...]
    nodes: Mapping[str, int]
    unit: str = "cycles"

    def latency(self, warm_up: int) -> Mapping[str, Any] | None:
        """Percentiles over the inferences after the first ``warm_up``; None when there are none."""
        times = sorted(self.inferences[warm_up:])
        if not times:
            return None
        accelerator = sorted(self.accelerator[warm_up:])
        middle = percentile(times, 0.5)
        return {
            "repetitions": len(times),
            "p50_ms": middle / 1e3,
            "p90_ms": percentile(times, 0.9) / 1e3,
            "p99_ms": percentile(times, 0.99) / 1e3,
            "min_ms": times[0] / 1e3,
            "max_ms": times[-1] / 1e3,
            "spread": (times[-1] - times[0]) / middle if middle else None,
            "npu_p50_ms": percentile(accelerator, 0.5) / 1e3 if accelerator else None,
            "measured_by": "qnn-net-run",
        }


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the ascending values does not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def read_net_run_profile(path: Path, nodes: Collection[str] = ()) -> NetRunProfile:
    """Parse the viewer's CSV. Raises QairtError when it is none.

    Args:
        nodes: names of the deployed ONNX graph's nodes, which operators are attributed to.
    """
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as stream:
            rows = [[cell.strip() for cell in row] for row in csv.reader(stream)]
    except OSError as error:
        raise QairtError(f"the profile {path.name} cannot be read", detail=str(error)) from error
    header = next((row for row in rows if {"Message", "Time", "Timing Source", "Event Identifier"} <= set(row)), None)
    if header is None:
        raise QairtError(f"{path.name} is not what qnn-profile-viewer writes", remedy="use the viewer of the same SDK")
    column = {name: header.index(name) for name in header}
    netrun, accelerator = [], []
    for row in rows:
        if len(row) < len(header) or row[column["Message"]] != "EXECUTE" or not row[column["Time"]].isdigit():
            continue
        if row[column["Unit of Measurement"]] not in _MICROSECONDS:
            continue
        source, event = row[column["Timing Source"]], row[column["Event Identifier"]]
        if source == "NETRUN":
            netrun.append(int(row[column["Time"]]))
        elif event == _ACCELERATOR:
            accelerator.append(int(row[column["Time"]]))
    totals: dict[str, int] = {}
    for operator in read_profile(path, nodes):
        # Without the graph's names at hand, QNN's own name without its suffix is the node's.
        name = operator.node or _TOKEN.sub("", operator.qnn_op)
        totals[name] = totals.get(name, 0) + operator.value
    runs = max(1, len(netrun))
    ranked = sorted(totals.items(), key=lambda item: -item[1])
    return NetRunProfile(tuple(netrun), tuple(accelerator), {name: value // runs for name, value in ranked})
