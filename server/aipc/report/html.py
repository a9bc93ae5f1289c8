"""``report.html``: one file with no outside reference, readable in a light and a dark theme."""

from __future__ import annotations

import html
import linecache
import math
from collections.abc import Iterable

from aipc.core.latency import cpu_latency
from aipc.core.types import DeployReport, Finding, Gate, OutputAccuracy, StageRecord

from .frontier import STYLE, blame_section, frontier_section
from .probes import probes_section

_STYLE = """
:root{--ink:#1b1f24;--dim:#5b6470;--paper:#fff;--card:#f6f8fa;--line:#d8dee4;--good:#1a7f37;--bad:#c62828;--warn:#9a6700;--accent:#3253dc}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#98a4b3;--paper:#0d1117;--card:#161b22;--line:#30363d;--good:#3fb950;--bad:#ff7b72;--warn:#d29922;--accent:#79a8ff}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1040px;padding:2.5rem 1.5rem 4rem;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
h1{font-size:1.7rem;margin:0 0 .2rem}h2{font-size:1.12rem;margin:2.2rem 0 .6rem}p.lead{color:var(--dim);margin:.1rem 0 1.4rem}
.verdict{display:inline-block;vertical-align:middle;font-size:.95rem;padding:.15rem .7rem;border-radius:1rem;font-weight:600;border:1.5px solid}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:.8rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem}.card b{display:block;font-size:1.35rem}.card span{color:var(--dim);font-size:.86rem}
table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--dim);font-weight:600;font-size:.85rem}td,th{padding:.42rem .7rem .42rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
pre,code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}pre{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem;overflow-x:auto;margin:.5rem 0}
mark{background:none;color:inherit;text-decoration:underline wavy;text-underline-offset:3px}mark.error{text-decoration-color:var(--bad)}mark.warning{text-decoration-color:var(--warn)}mark.information{text-decoration-color:var(--accent)}
details{margin:.4rem 0}summary{cursor:pointer;color:var(--dim)}.scroll{overflow-x:auto}
"""


def render(report: DeployReport) -> str:
    """The whole page. Every text from outside (names, messages, source) is escaped."""
    verdict = (
        '<span class="verdict good">✓ verified</span>'
        if report.ok
        else '<span class="verdict bad">✗ gate not passed</span>'
    )
    parts = [
        f"<h1>{_e(report.model)} for {_e(report.soc)} {verdict}</h1>",
        f'<p class="lead">{_e(report.precision)} on {_e(report.target)}, QAIRT {_e(report.environment.get("qairt", "-"))}</p>',
        _cards(report),
        "<h2>What was done</h2>",
        _stages(report.stages),
    ]
    if report.accuracy:
        parts += ["<h2>Accuracy against PyTorch in fp32</h2>", _accuracy(report.accuracy.get("outputs", ()))]
    if report.metric:
        parts += [
            f"<p>Task metric: {', '.join(f'{_e(name)} {value:.4g}' for name, value in report.metric.items())}</p>"
        ]
    if report.accuracy and report.accuracy.get("slices"):
        parts += ["<h2>Parts of the outputs, by their range</h2>", _accuracy(report.accuracy["slices"])]
    if report.probes:
        parts.append(probes_section(report.probes))
    if report.frontier:
        parts.append(frontier_section(report.frontier))
    if report.node_accuracy:
        parts.append(blame_section(report.node_accuracy))
    parts.append(_device(report))
    if report.findings:
        parts += ["<h2>Findings</h2>", *(_finding(finding) for finding in report.findings)]
    if report.package:
        parts += [
            "<h2>Package</h2>",
            f"<pre>{_e(report.package)}</pre>",
            "<p>Test it where it lives:</p><pre>python run.py --self-test</pre>",
        ]
    if report.capsule:
        parts += ["<h2>Failure capsule</h2>", f"<pre>{_e(report.capsule)}</pre>"]
    rows = "".join(f"<tr><td>{_e(name)}</td><td>{_e(value)}</td></tr>" for name, value in report.environment.items())
    parts += ["<h2>Environment</h2>", f"<details><summary>versions</summary><table>{rows}</table></details>"]
    title = f"{report.model} · {report.soc}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_e(title)}</title><style>{_STYLE}{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _cards(report: DeployReport) -> str:
    cards = []
    if report.placement:
        total = sum(report.placement.values())
        cards.append((f"{report.placement['npu']} / {total}", "nodes on the NPU"))
    outputs = report.accuracy.get("outputs", ()) if report.accuracy else ()
    if outputs:
        cards.append((f"{_db(min(output.sqnr_db for output in outputs))}", "worst SQNR against PyTorch"))
    cards.append((f"{report.timings.get('total', 0):.1f} s", "from start to end"))
    latency = report.latency.get("p50_ms") if report.latency else None
    cards.append(
        (
            f"{latency:.2f} ms" if latency else "no device",
            "latency" if latency else "latency is measured on a device only",
        )
    )
    if report.latency and (cpu := cpu_latency(report.latency)):
        beside = report.latency["cpu"]
        cards.append((f"{beside['p50_ms']:.2f} ms" if "p50_ms" in beside else "–", cpu))
    items = "".join(f'<div class="card"><b>{_e(value)}</b><span>{_e(label)}</span></div>' for value, label in cards)
    return f'<div class="cards">{items}</div>'


def _device(report: DeployReport) -> str:
    """Where it ran: what the device said of itself, its slowest nodes, the steps."""
    device = report.device
    if not device or report.target == "simulator":
        return ""
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
    cells = "".join(f"<tr><td>{_e(name)}</td><td>{_e(value)}</td></tr>" for name, value in rows)
    return f"<h2>Device</h2><div class=scroll><table>{cells}</table></div>"


def _stages(stages: Iterable[StageRecord]) -> str:
    rows = "".join(
        f"<tr><td>{_e(stage.name)}</td><td class=n>{'cached' if stage.cached else f'{stage.seconds:.2f} s'}</td>"
        f"<td>{_gate(stage.gate)}</td><td>{_e(stage.note)}</td></tr>"
        for stage in stages
    )
    return f"<div class=scroll><table><tr><th>stage</th><th class=n>time</th><th>gate</th><th></th></tr>{rows}</table></div>"


def _gate(gate: Gate | None) -> str:
    if gate is None:
        return ""
    mark = '<span class="good">✓</span>' if gate.ok else '<span class="bad">✗</span>'
    value = "–" if gate.value is None else _number(gate.value)
    return f"{mark} {_e(gate.metric)} {value} <small>(wanted {_number(gate.threshold)})</small>" + (
        f"<br><small>{_e(gate.detail)}</small>" if gate.detail else ""
    )


def _accuracy(outputs: Iterable[OutputAccuracy]) -> str:
    rows = "".join(
        f"<tr><td><code>{_e(output.name)}</code></td><td class=n>{_db(output.sqnr_db)}</td>"
        f"<td class=n>{'–' if output.ideal_fp16_sqnr_db is None else _db(output.ideal_fp16_sqnr_db)}</td>"
        f"<td class=n>{output.cosine:.7f}</td><td class=n>{_number(output.max_abs)}</td>"
        f"<td class=n>{output.nan + output.inf}</td></tr>"
        for output in outputs
    )
    head = "<tr><th>output</th><th class=n>SQNR</th><th class=n>ideal fp16</th><th class=n>cosine</th><th class=n>max error</th><th class=n>NaN, Inf</th></tr>"
    return f"<div class=scroll><table>{head}{rows}</table></div>"


def _finding(finding: Finding) -> str:
    place = f" <small>{_e(finding.range.file)}:{finding.range.start.line}</small>" if finding.range else ""
    words = (
        f"<details><summary>QAIRT's words</summary><pre>{_e(finding.compiler)}</pre></details>"
        if finding.compiler
        else ""
    )
    colour = {"error": "bad", "warning": "warn"}.get(finding.severity.value, "")
    return (
        f'<p><b class="{colour}">{_e(finding.severity.value)}</b> {_e(finding.message)} <code>{_e(finding.rule)}</code>{place}</p>'
        f"{_excerpt(finding)}{words}"
    )


def _excerpt(finding: Finding) -> str:
    if finding.range is None:
        return ""
    start, end = finding.range.start, finding.range.end
    lines = []
    for number in range(start.line, min(end.line, start.line + 9) + 1):
        text = linecache.getline(finding.range.file, number).rstrip("\n")
        first = start.column if number == start.line else len(text) - len(text.lstrip())
        last = end.column if number == end.line else len(text)
        marked = f'<mark class="{finding.severity.value}">{_e(text[first:last])}</mark>'
        lines.append(f"{number:>5}  {_e(text[:first])}{marked}{_e(text[last:])}")
    return f"<pre>{chr(10).join(lines)}</pre>"


def _db(value: float) -> str:
    return "exact" if math.isinf(value) and value > 0 else f"{value:.1f} dB"


def _number(value: float) -> str:
    return f"{value:.4g}"


def _e(value: object) -> str:
    return html.escape(str(value))
