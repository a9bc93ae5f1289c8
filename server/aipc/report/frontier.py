"""The frontier of a search over precisions, and where the error comes from, as parts of the HTML report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aipc.core.accuracy import NodeAccuracy
from aipc.core.frontier import Frontier, Tried

from .notebook import environment

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 720, 320, 56, 44, 24, 150
_LABEL_HEIGHT, _LABEL_WIDTH = 14, 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One candidate: a circle, and its label beside it, moved down where another label stands."""

    label: str
    kind: str
    chosen: bool
    x: float
    y: float
    text_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A plot of SQNR over cost, in pixels. ``costs`` and ``levels`` are the ticks: where, and what they say."""

    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _WIDTH - _RIGHT
    top: int = _TOP
    floor: int = _HEIGHT - _BOTTOM
    cost: str
    costs: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, str], ...]
    gate: tuple[float, str] | None
    edge: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]


def frontier_section(frontier: Frontier) -> str:
    """Heading, plot and table."""
    return _part("frontier", frontier, drawing(frontier))


def blame_section(accuracy: NodeAccuracy) -> str:
    """The expressions that introduce the most of the error; nothing when none was measured."""
    return _part("errors", accuracy)


def _part(name: str, *arguments: object) -> str:
    template = environment().get_template("report_parts.html")
    return str(getattr(template.module, name)(*arguments)).strip()


def drawing(frontier: Frontier) -> Drawing | None:
    """SQNR over cost: planned traffic, or size where the compiler planned none. None for fewer than two points."""
    by_traffic = all(item.traffic_bytes is not None for item in frontier.tried if item.sqnr_db is not None)
    points = [
        (item, float((item.traffic_bytes if by_traffic else item.bytes) or 0), item.sqnr_db)
        for item in frontier.tried
        if item.sqnr_db is not None and math.isfinite(item.sqnr_db) and item.bytes is not None
    ]
    if len(points) < 2:
        return None
    most = max(cost for _, cost, _ in points) * 1.05 or 1.0
    levels = [value for _, _, value in points] + ([frontier.threshold_db] if frontier.threshold_db is not None else [])
    low, high = min(*levels, 0.0) if min(levels) < 0 else 0.0, max(levels) * 1.08 + 1

    def x(cost: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * cost / most

    def y(level: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * (level - low) / (high - low)

    gate = frontier.threshold_db
    edge = sorted((cost, level) for item, cost, level in points if frontier.is_best(item))
    return Drawing(
        cost="DDR traffic that the compiler plans for one inference, MB" if by_traffic else "size of the package, MB",
        costs=tuple((x(most * share), f"{most * share / 1e6:.3g}") for share in (0.0, 0.5, 1.0)),
        levels=tuple((y(level), f"{level:.0f}") for level in (low, (low + high) / 2, high)),
        gate=None if gate is None else (y(gate), f"gate {gate:g} dB"),
        edge=tuple((x(cost), y(level)) for cost, level in edge),
        marks=_marks([(item, x(cost), y(level)) for item, cost, level in points], frontier.chosen),
    )


def _marks(points: Sequence[tuple[Tried, float, float]], label: str | None) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    for item, left, top in points:
        text = top
        while any(abs(text - mark.text_y) < _LABEL_HEIGHT and abs(left - mark.x) < _LABEL_WIDTH for mark in marks):
            text += _LABEL_HEIGHT
        chosen = item.label == label
        kind = "chosen ok" if chosen else "ok" if item.ok else ""
        marks.append(Mark(label=item.label, kind=kind, chosen=chosen, x=left, y=top, text_y=text))
    return tuple(marks)
