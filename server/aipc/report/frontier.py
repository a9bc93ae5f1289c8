"""The frontier of a search over precisions, and where the error comes from, as parts of the HTML report."""

from __future__ import annotations

import html
import math
from pathlib import Path

from aipc.core.accuracy import NodeAccuracy
from aipc.core.frontier import Frontier, Tried

STYLE = """
svg.plot{width:100%;max-width:720px;height:auto;display:block;margin:.4rem 0}svg.plot text{font:12px system-ui,sans-serif;fill:var(--dim)}
svg.plot .axis{stroke:var(--line);stroke-width:1}svg.plot .gate{stroke:var(--warn);stroke-dasharray:5 4}svg.plot .edge{fill:none;stroke:var(--accent);stroke-opacity:.45;stroke-width:1.5}
svg.plot circle{fill:var(--paper);stroke:var(--bad);stroke-width:2}svg.plot circle.ok{stroke:var(--good)}svg.plot circle.chosen{fill:var(--good)}svg.plot text.chosen{fill:var(--ink);font-weight:600}
tr.chosen td{font-weight:600}.bar{display:inline-block;height:.6rem;border-radius:.2rem;background:var(--accent);vertical-align:middle;margin-right:.4rem}
"""

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 720, 320, 56, 44, 24, 150


def frontier_section(frontier: Frontier) -> str:
    """Heading, plot and table. Every text is escaped."""
    lead = (
        f"{len(frontier.tried)} candidates were compiled and run; the cheapest of what was asked for that passed is taken: by {frontier.cost}."
        if frontier.chosen
        else f"{len(frontier.tried)} candidates were compiled and run; none passed."
    )
    notes = "".join(f"<p>{_e(note)}</p>" for note in frontier.notes)
    return f"<h2>Precisions that were tried</h2><p>{_e(lead)}</p>{_plot(frontier)}{_table(frontier)}{notes}"


def _table(frontier: Frontier) -> str:
    rows = "".join(_row(item, frontier) for item in frontier.tried)
    metric = f"<th class=n>{_e(frontier.metric_name)}</th>" if frontier.metric_name else ""
    return (
        "<div class=scroll><table><tr><th>precision</th><th class=n>size</th><th class=n>DDR traffic, planned</th>"
        f"<th class=n>latency</th><th class=n>SQNR</th>{metric}<th></th><th>why</th></tr>{rows}</table></div>"
    )


def _row(item: Tried, frontier: Frontier) -> str:
    chosen = item.label == frontier.chosen
    mark = '<span class="good">✓</span>' if item.ok else '<span class="bad">✗</span>'
    metric = f"<td class=n>{'–' if item.metric is None else f'{item.metric:.4g}'}</td>" if frontier.metric_name else ""
    latency = "–" if item.latency_ms is None else f"{item.latency_ms:.2f} ms"
    detail = f"<br><small>{_e(item.detail)}</small>" if item.detail and not item.ok else ""
    return (
        f"<tr{' class=chosen' if chosen else ''}><td>{_e(item.label)}{' (taken)' if chosen else ''}</td>"
        f"<td class=n>{_megabytes(item.bytes)}</td><td class=n>{_megabytes(item.traffic_bytes)}</td>"
        f"<td class=n>{latency}</td><td class=n>{'–' if item.sqnr_db is None else f'{item.sqnr_db:.1f} dB'}</td>"
        f"{metric}<td>{mark}</td><td>{_e(item.measure)}{detail}</td></tr>"
    )


def _plot(frontier: Frontier) -> str:
    """SQNR over cost: planned traffic, or size where the compiler planned none. Nothing for fewer than two points."""
    by_traffic = all(item.traffic_bytes is not None for item in frontier.tried if item.sqnr_db is not None)
    points = [
        (item, (item.traffic_bytes if by_traffic else item.bytes) or 0, item.sqnr_db)
        for item in frontier.tried
        if item.sqnr_db is not None and math.isfinite(item.sqnr_db) and item.bytes is not None
    ]
    if len(points) < 2:
        return ""
    most = max(cost for _, cost, _ in points) * 1.05 or 1.0
    levels = [value for _, _, value in points] + ([frontier.threshold_db] if frontier.threshold_db is not None else [])
    low, high = min(*levels, 0.0) if min(levels) < 0 else 0.0, max(levels) * 1.08 + 1

    def x(cost: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * cost / most

    def y(level: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * (level - low) / (high - low)

    right, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [
        f'<line class="axis" x1="{_LEFT}" y1="{floor}" x2="{right}" y2="{floor}"/>',
        f'<line class="axis" x1="{_LEFT}" y1="{_TOP}" x2="{_LEFT}" y2="{floor}"/>',
        f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">'
        f"{'DDR traffic that the compiler plans for one inference, MB' if by_traffic else 'size of the package, MB'}</text>",
        f'<text x="{_LEFT - 40}" y="{_TOP - 8}">SQNR, dB</text>',
        *(
            f'<text x="{x(most * share):.1f}" y="{floor + 16}" text-anchor="middle">{most * share / 1e6:.3g}</text>'
            for share in (0.0, 0.5, 1.0)
        ),
        *(
            f'<text x="{_LEFT - 8}" y="{y(level) + 4:.1f}" text-anchor="end">{level:.0f}</text>'
            for level in (low, (low + high) / 2, high)
        ),
    ]
    if frontier.threshold_db is not None:
        level = y(frontier.threshold_db)
        parts.append(f'<line class="gate" x1="{_LEFT}" y1="{level:.1f}" x2="{right}" y2="{level:.1f}"/>')
        parts.append(f'<text x="{right + 6}" y="{level + 4:.1f}">gate {frontier.threshold_db:g} dB</text>')
    edge = sorted((cost, level) for item, cost, level in points if frontier.is_best(item))
    if len(edge) > 1:
        path = " ".join(f"{x(cost):.1f},{y(level):.1f}" for cost, level in edge)
        parts.append(f'<polyline class="edge" points="{path}"/>')
    taken: list[tuple[float, float]] = []
    for item, cost, level in points:
        chosen = item.label == frontier.chosen
        kind = "chosen ok" if chosen else ("ok" if item.ok else "")
        mark = ' class="chosen"' if chosen else ""
        left, top = x(cost), y(level)
        parts.append(
            f'<circle class="{kind}" cx="{left:.1f}" cy="{top:.1f}" r="5"><title>{_e(item.label)}</title></circle>'
        )
        while any(abs(top - other) < 14 and abs(left - beside) < 110 for beside, other in taken):
            top += 14
        taken.append((left, top))
        parts.append(f'<text{mark} x="{left + 10:.1f}" y="{top + 4:.1f}">{_e(item.label)}</text>')
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Accuracy over cost of every candidate">{"".join(parts)}</svg>'
    )


def blame_section(found: NodeAccuracy) -> str:
    """The expressions that introduce the most of the error; nothing when none was measured."""
    worst = found.worst()
    if not worst:
        return ""
    rows = "".join(
        f"<tr><td><code>{_e(_place(error.file, error.line) or name)}</code> <small>{_e(error.module)}</small></td><td>{_e(error.op_type)}</td>"
        f'<td><span class="bar" style="width:{max(1, round(80 * error.share))}px"></span>{100 * error.share:.0f} %</td>'
        f"<td class=n>{_db(error.effect_sqnr_db)}</td><td class=n>{_db(error.introduced_sqnr_db)}</td>"
        f"<td class=n>{_db(error.inherited_sqnr_db)}</td><td class=n>{_db(error.sqnr_db)}</td></tr>"
        for name, error in worst
    )
    head = (
        "<tr><th>line</th><th>operator</th><th>share of the error</th><th class=n>outputs with it alone</th>"
        "<th class=n>introduced</th><th class=n>inherited</th><th class=n>its tensor</th></tr>"
    )
    equal = {True: "The outputs stayed equal, bit for bit, while every tensor was read.", None: ""}.get(
        found.unchanged, "Reading the tensors changed the outputs: these figures are of a slightly other graph."
    )
    unread = f" {len(found.unread)} nodes are fused into others and have no tensor to read." if found.unread else ""
    notes = "".join(f"<p>{_e(note)}</p>" for note in found.notes)
    return (
        f"<h2>Where the error comes from</h2><div class=scroll><table>{head}{rows}</table></div>"
        f"<p>{_e(equal + unread)}</p>{notes}"
    )


def _place(file: str, line: int) -> str:
    return f"{Path(file).name}:{line}" if file else ""


def _db(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return "exact" if math.isinf(value) and value > 0 else f"{value:.1f} dB"


def _megabytes(value: int | None) -> str:
    return "–" if value is None else f"{value / 1e6:.3g} MB"


def _e(value: object) -> str:
    return html.escape(str(value))
