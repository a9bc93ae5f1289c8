"""Two reports of a model, measure by measure: what got worse."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from aipc.core.types import DeployReport, Placement, Severity

DB_SLACK = 0.1
"""Decibels. The simulator's numbers are reproducible; below this a rebuilt graph's rounding shows."""
_SHARE = 0.01
"""Of a size or a planned traffic."""
_LATENCY_SHARE = 0.05
"""Of a latency: what one device measures varies by about this from run to run."""


class Trend(str, Enum):
    """How a measure moved."""

    WORSE = "worse"
    SAME = "same"
    BETTER = "better"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure of both. A value is None where a report does not have it; then ``trend`` is ``same``."""

    name: str
    unit: str
    before: float | None
    after: float | None
    trend: Trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``ok`` is False when a measure got worse."""

    ok: bool
    model: str
    before: str
    """Chip, precision and target of the first report."""
    after: str
    measures: tuple[Measure, ...]
    findings_added: tuple[str, ...] = ()
    findings_removed: tuple[str, ...] = ()


def compare_reports(before: DeployReport, after: DeployReport) -> Comparison:
    """Every measure that at least one of the reports has."""
    measures = tuple(_measures(before, after))
    old, new = (Counter(f"[{item.rule}] {item.message}" for item in report.findings) for report in (before, after))
    return Comparison(
        ok=all(item.trend is not Trend.WORSE for item in measures),
        model=after.model,
        before=f"{before.soc}, {before.precision}, {before.target}",
        after=f"{after.soc}, {after.precision}, {after.target}",
        measures=measures,
        findings_added=tuple((new - old).elements()),
        findings_removed=tuple((old - new).elements()),
    )


def _measures(before: DeployReport, after: DeployReport) -> Iterator[Measure]:
    yield measure("gates passed", "", float(before.ok), float(after.ok), more_is_better=True)
    for place, label in ((Placement.CPU, "nodes on the CPU"), (Placement.FAILS, "nodes that fail")):
        counts = [(report.placement or {}).get(place.value) for report in (before, after)]
        if any(counts):
            yield measure(label, "", *counts)
    for name in dict.fromkeys((*_outputs(before), *_outputs(after))):
        yield measure(
            f"SQNR of {name}",
            "dB",
            _outputs(before).get(name),
            _outputs(after).get(name),
            slack=DB_SLACK,
            more_is_better=True,
        )
    for name in dict.fromkeys((*(before.metric or {}), *(after.metric or {}))):
        yield measure(
            name, "", (before.metric or {}).get(name), (after.metric or {}).get(name), slack=1e-4, more_is_better=True
        )
    for key, label in (
        ("bytes", "context binary"),
        ("read_bytes", "DDR reads planned"),
        ("write_bytes", "DDR writes planned"),
        ("spill_bytes", "DDR spill planned"),
    ):
        sizes = [(report.compiled or {}).get(key) for report in (before, after)]
        if any(value is not None for value in sizes):
            yield measure(label, "MB", *(None if value is None else value / 1e6 for value in sizes), share=_SHARE)
    times = [(report.latency or {}).get("p50_ms") for report in (before, after)]
    if any(value is not None for value in times):
        yield measure("latency p50", "ms", *times, share=_LATENCY_SHARE)
    for severity in (Severity.ERROR, Severity.WARNING):
        numbers = [float(sum(item.severity is severity for item in report.findings)) for report in (before, after)]
        if any(numbers):
            yield measure(f"findings: {severity.value}", "", *numbers)


def _outputs(report: DeployReport) -> dict[str, float]:
    return {item.name: item.sqnr_db for item in (report.accuracy or {}).get("outputs", ())}


def measure(
    name: str,
    unit: str,
    before: float | None,
    after: float | None,
    *,
    slack: float = 0.0,
    share: float = 0.0,
    more_is_better: bool = False,
) -> Measure:
    """Return a measure with its trend.

    ``slack``: an absolute difference that does not count; ``share``: one relative to the first value.
    """
    trend = Trend.SAME
    if before is not None and after is not None and before != after:
        gain = (after - before) if more_is_better else (before - after)
        allowed = max(slack, share * abs(before)) if math.isfinite(before) else slack
        if math.isnan(gain):  # NaN: nothing is worse than an output that is no number
            trend = Trend.WORSE if math.isnan(after) and not math.isnan(before) else Trend.SAME
        elif abs(gain) > allowed:
            trend = Trend.BETTER if gain > 0 else Trend.WORSE
    return Measure(name=name, unit=unit, before=before, after=after, trend=trend)


def markdown(comparison: Comparison) -> str:
    """For the comment of a pull request."""
    worse = [item.name for item in comparison.measures if item.trend is Trend.WORSE]
    verdict = f"{len(worse)} worse: {', '.join(worse)}" if worse else "nothing got worse"
    lines = [f"### AIPC: {_cell(comparison.model)}: {_cell(verdict)}", ""]
    if comparison.before == comparison.after:
        lines += [_cell(comparison.after), ""]
    else:
        lines += [f"before: {_cell(comparison.before)}; after: {_cell(comparison.after)}", ""]
    lines += ["| measure | before | after | |", "| --- | ---: | ---: | --- |"]
    marks = {Trend.WORSE: "❌ worse", Trend.BETTER: "✅ better", Trend.SAME: ""}
    for item in comparison.measures:
        values = f"{figure(item.before, item.unit)} | {figure(item.after, item.unit)}"
        lines.append(f"| {_cell(item.name)} | {values} | {marks[item.trend]} |")
    for title, items in (("New findings", comparison.findings_added), ("Findings gone", comparison.findings_removed)):
        if items:
            lines += ["", f"**{title}**", "", *(f"- {_cell(item)}" for item in items)]
    return "\n".join(lines) + "\n"


def figure(value: float | None, unit: str) -> str:
    """A measure's value with its unit."""
    if value is None:
        return "–"
    if math.isinf(value) and value > 0:
        return "exact"
    text = f"{value:.2f}" if unit else f"{value:.4g}"
    return f"{text} {unit}".strip()


def _cell(text: str) -> str:
    """Text from outside in a table or a list: no markup, no line breaks."""
    escaped = " ".join(text.split())
    for character in "\\`*_[]<>|#":
        escaped = escaped.replace(
            character, f"\\{character}" if character not in "<>" else f"&{'lg'[character == '>']}t;"
        )
    return escaped
