"""Reports as a person reads them. Text of models and compilers is never interpreted as markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from aipc.core.types import (
    CheckReport,
    DeployReport,
    Finding,
    Gate,
    OutputAccuracy,
    Range,
    Severity,
    StageRecord,
)
from aipc.core.wording import counted, gate_figures, original_words
from aipc.core.wording import gate_text as gate_clause
from aipc.qairt.soc import SoC, get_soc

from ._device_tables import cpu_latency_text, device_lines, no_latency
from ._format import short_path, table_of
from ._precision import blame_lines, frontier_lines
from ._probes import probe_lines

if TYPE_CHECKING:
    from aipc.doctor import DoctorReport
    from aipc.engine import RunReport, VerifyAllReport, VerifyReport
    from aipc.report.formats import Document
    from aipc.targets import Description

_MOST_RELATED = 3
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFORMATION: "cyan"}


def check_page(report: CheckReport) -> Iterator[Any]:
    """What ``aipc check`` prints."""
    yield Text(f"{report.model} on {get_soc(report.soc).title}, {report.precision}, QAIRT {report.qairt}", "bold")
    yield Text(f"{counted(report.nodes, 'node')}: {placement_line(report.placement)}{_partitions(report.partitions)}")
    if report.accuracy:
        yield from blame_lines(report.accuracy)
    yield from findings_lines(report.findings)
    yield _closing(report.findings, report.ignored)


def check_all_page(document: Document) -> Iterator[Any]:
    """What ``aipc check`` prints of each model; its new findings alone where it is compared with a baseline."""
    for number, model in enumerate(document.models):
        if number:
            yield Text("")
        shown = tuple(finding for finding, new, _ in model.items() if new)
        yield from check_page(replace(model.report, findings=shown))
        if known := len(model.new) - len(shown):
            yield Text(f"{known} more in the baseline", "dim")
    for name, message in document.errors.items():
        yield Text(f"{name}: {message}", "bold red")


def deploy_page(report: DeployReport) -> Iterator[Any]:
    """What ``aipc deploy`` prints."""

    title = f"{report.model} for {get_soc(report.soc).title}, {report.precision}, run on {report.target}"
    yield Text(title, "bold")
    yield stages_table(report.stages)
    if report.placement:
        yield Text(f"placement: {placement_line(report.placement)}")
    for name, group in (report.accuracy or {}).items():
        yield accuracy_table(group, "part of an output, by its range" if name == "slices" else None)
    if report.metric:
        yield Text(f"task metric: {', '.join(f'{name} {value:.4g}' for name, value in report.metric.items())}")
    if report.probes:
        yield from probe_lines(report.probes)
    if report.frontier:
        yield from frontier_lines(report.frontier)
    if report.node_accuracy:
        yield from blame_lines(report.node_accuracy)
    yield Text(f"latency: {latency_line(report.latency, no_latency(report.target, report.device))}")
    yield from device_lines(report.device)
    yield from findings_lines(report.findings)
    if report.capsule:
        yield Text(f"failure capsule: {short_path(report.capsule)}")
    if report.package:
        yield Text(f"package: {short_path(report.package)}")
    seconds = sum(stage.seconds for stage in report.stages)
    if report.ok:
        yield Text(f"verified in {seconds:.1f} s", "bold green")
    else:
        failed = ", ".join(stage.name for stage in report.stages if stage.gate and not stage.gate.ok)
        yield Text(f"not passed: {failed or 'see above'}", "bold red")


def run_page(report: RunReport) -> Iterator[Any]:
    """What ``aipc run`` prints."""
    for output in report.outputs:
        values = ", ".join(f"{key} {value}" for key, value in output.items() if key != "name")
        yield Text(f"{output.get('name', '')}: {values}")
    yield Text(f"latency: {latency_line(report.latency, no_latency(report.target, report.device))}")
    yield from device_lines(report.device)
    yield Text(f"outputs of {report.target}: {short_path(report.output_file)}")


def verify_page(report: VerifyReport) -> Iterator[Any]:
    """What ``aipc verify`` prints."""
    yield Text(f"{report.model} for {get_soc(report.soc).title}, run on {report.target}", "bold")
    yield accuracy_table(report.accuracy)
    if report.probes:
        yield from probe_lines(report.probes)
    yield gate_text(report.gate)
    for change in report.changed:
        yield Text(f"changed since the deployment: {change}", "yellow")
    yield from device_lines(report.device)
    yield from findings_lines(report.findings)


def verify_all_page(report: VerifyAllReport) -> Iterator[Any]:
    """What ``aipc verify --all`` prints."""
    table = table_of("package", "target", "gate", "changed since")
    for item in report.reports:
        table.add_row(short_path(item.package), item.target, gate_text(item.gate), ", ".join(item.changed))
    for name, reason in report.errors.items():
        table.add_row(short_path(name), "", Text(reason, "bold red"), "")
    yield table
    passed = sum(item.ok for item in report.reports)
    total = len(report.reports) + len(report.errors)
    yield Text(f"{passed} of {counted(total, 'package')} verified", "bold green" if report.ok else "bold red")


def targets_page(targets: Sequence[Description], socs: Sequence[SoC]) -> Iterator[Any]:
    """What ``aipc targets`` prints."""
    places = table_of("target", "what it is", "")
    for target in targets:
        places.add_row(target.name, target.title, "ready" if target.available else target.reason)
    yield places
    chips = table_of("SoC", "marketing name", "HTP", "fp16", "also called")
    for soc in socs:
        chips.add_row(soc.part, soc.marketing, f"v{soc.htp_arch}", soc.fp16, ", ".join(soc.aliases))
    yield chips


def doctor_page(report: DoctorReport) -> Iterator[Any]:
    """What ``aipc doctor`` prints."""
    table = table_of("", "what", "found", "what to do")
    for item in report.items:
        mark = Text("ok", "green") if item.ok else Text("missing" if item.needed else "absent", "bold red")
        table.add_row(mark, item.name, Text(item.found), Text(item.remedy))
    yield table
    missing = sum(item.needed and not item.ok for item in report.items)
    verdict = "nothing is missing" if report.ok else f"{missing} needed things are missing"
    yield Text(verdict, "bold green" if report.ok else "bold red")


def stages_table(stages: tuple[StageRecord, ...]) -> Table:
    table = table_of("stage", "seconds", "gate", "")
    table.columns[1].justify = "right"
    for stage in stages:
        seconds = "cached" if stage.cached else f"{stage.seconds:.2f}"
        table.add_row(stage.name, seconds, gate_text(stage.gate), Text(stage.note))
    return table


def gate_text(gate: Gate | None) -> Text:
    """For example ``ok: SQNR 67.1 dB, wanted 40 dB``."""
    if gate is None:
        return Text("")
    figures = gate_figures(gate.metric, gate.value, gate.threshold, ok=gate.ok)
    text = f"ok: {figures}" if gate.ok and figures else "ok" if gate.ok else f"FAILED: {gate_clause(gate)}"
    return Text(text, "green" if gate.ok else "bold red")


def accuracy_table(outputs: tuple[OutputAccuracy, ...], title: str | None = None) -> Table:
    table = table_of(title or "output against PyTorch fp32", "cosine", "SQNR dB", "ideal fp16 dB", "max abs", "max rel")
    for column in table.columns[1:]:
        column.justify = "right"
    for output in outputs:
        ideal = "" if output.ideal_fp16_sqnr_db is None else f"{output.ideal_fp16_sqnr_db:.1f}"
        invalid = f" ({output.nan} NaN, {output.inf} inf)" if output.nan or output.inf else ""
        table.add_row(
            output.name + invalid,
            f"{output.cosine:.7f}",
            f"{output.sqnr_db:.1f}",
            ideal,
            f"{output.max_abs:.3g}",
            f"{output.max_rel:.3g}",
        )
    return table


def findings_lines(findings: tuple[Finding, ...]) -> Iterator[Text]:
    """Each finding as ``file:line:column severity [rule] message`` and, below, the compiler's words."""
    for finding in findings:
        line = Text(f"{place(finding.range)} ")
        line.append(finding.severity.value, _STYLES[finding.severity])
        line.append(f" [{finding.rule}] {finding.message}")
        yield line
        if original := original_words(finding):
            yield Text(f"    {original}", "dim")
        for related in finding.related[:_MOST_RELATED]:
            yield Text(f"    {place(related.range)} {related.message}", "dim")
        if (more := len(finding.related) - _MOST_RELATED) > 0:
            yield Text(f"    and {more} more frames (all of them with --json)", "dim")
        # What deploy does by itself is in the message.
        for fix in (item for item in finding.fixes if item.edits):
            proof = f" ({fix.proof})" if fix.proved else "; `aipc fix` proves it first"
            yield Text(f"    the source can be edited: {fix.title}{proof}", "cyan")
        for choice in finding.evidence.get("choices", ()):
            yield Text(f"    no exact rewrite: {choice['reason']}", "dim")
            yield Text(f"    you can {', or '.join(choice['options'])}", "dim")


def place(range: Range | None) -> str:
    """``file:line:column``, the column counted from 1 as terminals and editors do."""
    if range is None:
        return "(no source)"
    return f"{short_path(range.file)}:{range.start.line}:{range.start.column + 1}"


def placement_line(placement: Mapping[str, int]) -> str:
    labels = {"npu": "on the NPU", "cpu": "on the CPU", "fails": "fail"}
    return ", ".join(f"{count} {labels.get(name, name)}" for name, count in placement.items())


def latency_line(latency: Mapping[str, Any] | None, reason: str = "not measured (no device)") -> str:
    if not latency:
        return reason
    figures = [f"{name} {latency[f'{name}_ms']:.2f} ms" for name in ("p50", "p90", "p99") if f"{name}_ms" in latency]
    more = f" ({latency['repetitions']} runs, spread {100 * latency.get('spread', 0):.0f} %)"
    return ", ".join(figures) + (more if "repetitions" in latency else "") + cpu_latency_text(latency)


def _closing(findings: tuple[Finding, ...], ignored: int) -> Text:
    """How many findings of each severity there are, and how many a comment hides."""
    more = f"; {ignored} ignored by comments" if ignored else ""
    count = {kind: sum(finding.severity is kind for finding in findings) for kind in Severity}
    if not findings:
        return Text(f"no findings{more}", "bold green")
    plural = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.INFORMATION: "information"}
    counts = (f"{n} {kind.value if n == 1 else plural[kind]}" for kind, n in count.items() if n)
    return Text(", ".join(counts) + more, "bold")


def _partitions(count: int) -> str:
    return f"; {counted(count, 'NPU partition')}" if count > 1 else ""
