"""What a search over precisions tried: figures of every candidate, and which one was taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PLANNED = "planned DDR traffic, then size, then operators above 8 bits"
MEASURED = "measured latency"


@dataclass(frozen=True, slots=True)
class Tried:
    """One candidate, compiled and run. A figure is None where it could not be had; ``detail`` says why."""

    label: str
    """Such as ``fp16``, ``w8a8`` or ``w8a8+2 higher``; unique in its frontier."""
    measure: str
    """Why it was tried, in words."""
    ok: bool
    """It passed every gate."""
    bytes: int | None = None
    """Size of the context binaries."""
    traffic_bytes: int | None = None
    """DDR that the compiler plans to read and write for one inference, spills and fills included; no measurement."""
    latency_ms: float | None = None
    """Measured on a device; None without one."""
    sqnr_db: float | None = None
    """Of the worst output, on data that was not used for calibration."""
    metric: float | None = None
    """The task metric; more is better."""
    detail: str = ""
    seconds: float = 0.0
    higher: tuple[str, ...] = ()
    """Nodes kept at 16 bits in an 8-bit graph."""
    float_nodes: tuple[str, ...] = ()
    """Nodes kept in fp16."""
    wide_nodes: int = 0
    """Nodes that compute in more than 8 bits."""
    plan: Mapping[str, Any] | None = None
    """The quantization plan; None for fp16."""

    @property
    def cost(self) -> tuple[float, float]:
        """What is compared: planned traffic, then size; the unknown comes last."""
        traffic = float("inf") if self.traffic_bytes is None else float(self.traffic_bytes)
        return (traffic, float("inf") if self.bytes is None else float(self.bytes))


@dataclass(frozen=True, slots=True)
class Frontier:
    """All candidates in the order in which they were tried."""

    tried: tuple[Tried, ...]
    chosen: str | None
    """Label of the cheapest of what was asked for that passed; None when nothing did."""
    cost: str = PLANNED
    """What cheapest is by: the compiler's plan, or the latency that a device measured."""
    threshold_db: float | None = None
    metric_name: str = ""
    metric_threshold: float | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)
    """What bounded the search, for people."""

    def candidate(self, label: str | None) -> Tried | None:
        return next((item for item in self.tried if item.label == label), None)

    def is_best(self, item: Tried) -> bool:
        """Whether no other candidate is both cheaper and nearer to fp32."""
        if item.sqnr_db is None:
            return False
        return not any(
            other.sqnr_db is not None
            and other.cost <= item.cost
            and other.sqnr_db >= item.sqnr_db
            and (other.cost, other.sqnr_db) != (item.cost, item.sqnr_db)
            for other in self.tried
        )


_LIKE = 1.02
"""Costs this near to each other count as equal: the compiler's layout alone moves them by about a percent."""
_LIKE_BYTES = 64 << 10
"""So do these: at the tens of GB/s of a phone it is about a microsecond, less than an inference takes to start."""


def cheapest(tried: tuple[Tried, ...]) -> Tried | None:
    """The cheapest that passed: by latency where a device measured all of them, else by planned traffic.

    What is like in that goes by size, then by the number of nodes that compute in more than 8 bits, then by accuracy.
    """
    left = [item for item in tried if item.ok]
    if not left:
        return None
    if all(item.latency_ms is not None for item in left):
        left = _least(left, [item.latency_ms or 0.0 for item in left], 0.0)
    left = _least(left, [item.cost[0] for item in left], _LIKE_BYTES)
    left = _least(left, [item.cost[1] for item in left], _LIKE_BYTES)
    return min(left, key=lambda item: (item.wide_nodes, -(item.sqnr_db or 0.0)))


def _least(items: list[Tried], costs: list[float], like: float) -> list[Tried]:
    limit = max(min(costs) * _LIKE, min(costs) + like)
    return [item for item, cost in zip(items, costs, strict=True) if cost <= limit]
