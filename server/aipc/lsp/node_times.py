"""What a device measured for each node: shown only when a device measured it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aipc.qairt.profile import attribute


@dataclass(frozen=True, slots=True)
class NodeTime:
    """Time of one node on the device. ``share`` of the sum of all nodes; ``microseconds`` where the unit is known."""

    share: float
    microseconds: float | None = None


def node_shares(device: Mapping[str, Any] | None, nodes: Sequence[str]) -> dict[str, NodeTime]:
    """Time of each ONNX node from the profile of a run; empty when it was a simulator's, whose times are host times."""
    profile = (device or {}).get("profile")
    if not profile or profile["measured_on"] != "device":
        return {}
    totals = attribute(profile["nodes"], nodes)
    whole = sum(profile["nodes"].values())
    known = profile["unit"] == "us"
    return {
        node: NodeTime(value / whole if whole else 0.0, float(value) if known else None)
        for node, value in totals.items()
        if node
    }


def time_text(times: Sequence[NodeTime]) -> str:
    """For the end of a line: ``12 %`` of the inference, with its time where that is known."""
    share = sum(time.share for time in times)
    known = [time.microseconds for time in times if time.microseconds is not None]
    text = f"{100 * share:.0f} %" if share >= 0.005 else "< 1 %"
    return f"{sum(known):.0f} µs ({text})" if len(known) == len(times) else f"{text} of the time"
