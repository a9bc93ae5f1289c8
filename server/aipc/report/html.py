"""``report.html``: one file with no outside reference, readable in a light and a dark theme.

The markup is in ``templates/report.html`` and its parts; every text from outside is escaped there.
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass

from aipc.core.latency import cpu_latency
from aipc.core.types import DeployReport, Range

from .frontier import drawing
from .notebook import environment, level

_MOST_LINES = 10


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    before: str
    marked: str
    after: str


def render(report: DeployReport) -> str:
    """The whole page."""
    text: str = (
        environment()
        .get_template("report.html")
        .render(
            report=report,
            cards=_cards(report),
            device=_device(report),
            plot=drawing(report.frontier) if report.frontier else None,
            excerpt=_excerpt,
        )
    )
    return text


def _cards(report: DeployReport) -> list[tuple[str, str]]:
    """(value, label) of each figure at the top."""
    cards = []
    if report.placement:
        total = sum(report.placement.values())
        cards.append((f"{report.placement['npu']} / {total}", "nodes on the NPU"))
    outputs = report.accuracy.get("outputs", ()) if report.accuracy else ()
    if outputs:
        cards.append((level(min(output.sqnr_db for output in outputs)), "worst SQNR against PyTorch"))
    cards.append((f"{report.timings.get('total', 0):.1f} s", "from start to end"))
    latency = report.latency.get("p50_ms") if report.latency else None
    if latency:
        cards.append((f"{latency:.2f} ms", "latency"))
    else:
        cards.append(("no device", "latency is measured on a device only"))
    if report.latency and (cpu := cpu_latency(report.latency)):
        beside = report.latency["cpu"]
        cards.append((f"{beside['p50_ms']:.2f} ms" if "p50_ms" in beside else "–", cpu))
    return cards


def _device(report: DeployReport) -> list[tuple[str, str]]:
    """Where it ran: what the device said of itself, its slowest nodes, the steps; nothing on the simulator."""
    device = report.device
    if not device or report.target == "simulator":
        return []
    facts = device["facts"]
    rows = [("target", report.target), ("system", f"{facts['os']}, {facts['machine']}")]
    rows.append(("SoC", facts["soc"] or "not told"))
    rows += [(name, str(value)) for name, value in device["environment"].items() if value and name != "system"]
    if facts["simulated"]:
        rows.append(("NPU", "simulated by an x86 computer: its times are host times and no latency"))
    rows += [(f"step {step['step']}", f"{step['seconds']:.2f} s {step['note']}") for step in device["steps"]]
    profile = device["profile"]
    if profile and profile["measured_on"] == "device":
        slowest = sorted(profile["nodes"].items(), key=lambda item: -item[1])[:10]
        rows += [(f"node {name}", f"{value:.1f} {profile['unit']}") for name, value in slowest]
    return rows


def _excerpt(place: Range | None) -> list[_Line]:
    """The lines of an expression, with what is its own marked."""
    if place is None:
        return []
    start, end = place.start, place.end
    lines = []
    for number in range(start.line, min(end.line, start.line + _MOST_LINES - 1) + 1):
        text = linecache.getline(place.file, number).rstrip("\n")
        first = start.column if number == start.line else len(text) - len(text.lstrip())
        last = end.column if number == end.line else len(text)
        lines.append(_Line(number, text[:first], text[first:last], text[last:]))
    return lines
