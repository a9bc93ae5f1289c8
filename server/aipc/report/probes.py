"""The input sets that a package was verified on, as a part of the HTML report."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from aipc.core.probes import ProbeResult, ProbeStatus, summary

_CLASSES = {ProbeStatus.PASSED: "good", ProbeStatus.FAILED: "bad", ProbeStatus.LIMIT: "warn"}


def probes_section(probes: Sequence[ProbeResult]) -> str:
    """Heading, one sentence and a table of every probe. Every text is escaped."""
    rows = "".join(
        f"<tr><td>{_e(item.title)}</td><td>{_e(item.kind)}</td>"
        f'<td><span class="{_CLASSES.get(item.status, "")}">{_e(item.status.value)}</span></td>'
        f"<td class=n>{_db(item.graph_sqnr_db)}</td><td class=n>{_db(item.package_sqnr_db)}</td>"
        f"<td class=n>{_db(item.ideal_fp16_sqnr_db)}</td><td><small>{_e(item.reason)}</small></td></tr>"
        for item in probes
    )
    head = (
        "<tr><th>input</th><th>kind</th><th>result</th><th class=n>graph in fp32</th><th class=n>package</th>"
        "<th class=n>ideal fp16</th><th></th></tr>"
    )
    return (
        f"<h2>What it was verified on</h2><p>The example, and {_e(summary(tuple(probes)))}.</p>"
        f"<details open><summary>every probe</summary><div class=scroll><table>{head}{rows}</table></div></details>"
    )


def _db(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return "exact" if math.isinf(value) and value > 0 else f"{value:.1f} dB"


def _e(value: object) -> str:
    return html.escape(str(value))
