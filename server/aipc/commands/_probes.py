"""Probes as a person reads them: one line on all of them, one on each that did not simply pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from aipc.core.probes import ProbeResult, ProbeStatus, summary

_STYLES = {ProbeStatus.FAILED: "bold red", ProbeStatus.LIMIT: "yellow", ProbeStatus.LEFT_OUT: "dim"}
_MOST = 8


def probe_lines(probes: Sequence[ProbeResult]) -> Iterator[Text]:
    """What ``aipc deploy`` and ``aipc verify`` print of probes; all of them are in ``--json`` and the report."""
    yield Text(f"probes: {summary(tuple(probes))}{_worst(probes)}")
    order = [ProbeStatus.FAILED, ProbeStatus.LIMIT, ProbeStatus.LEFT_OUT]
    listed = sorted((item for item in probes if item.status in order), key=lambda item: order.index(item.status))
    for item in listed[:_MOST]:
        yield Text(f"    {item.status.value}: {item.title}{_figures(item)}: {item.reason}", _STYLES[item.status])
    if len(listed) > _MOST:
        yield Text(f"    and {len(listed) - _MOST} more (all of them with --json)", "dim")


def _worst(probes: Sequence[ProbeResult]) -> str:
    ran = [item for item in probes if item.status is ProbeStatus.PASSED and item.package_sqnr_db is not None]
    if not ran:
        return ""
    worst = min(ran, key=lambda item: item.package_sqnr_db or 0.0)
    return f"; worst {worst.package_sqnr_db:.1f} dB on {worst.title}"


def _figures(item: ProbeResult) -> str:
    value = item.package_sqnr_db if item.package_sqnr_db is not None else item.graph_sqnr_db
    if value is None:
        return ""
    where = "" if item.package_sqnr_db is not None else " in fp32"
    ideal = f", ideal fp16 {item.ideal_fp16_sqnr_db:.1f} dB" if item.ideal_fp16_sqnr_db is not None else ""
    return f" ({value:.1f} dB{where}{ideal})"
