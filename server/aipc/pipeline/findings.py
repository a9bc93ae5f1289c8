"""From what QAIRT and the simulator said of nodes to findings on the author's expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aipc.core.types import (
    Finding,
    NodePlacement,
    Origin,
    Placement,
    PlacementReport,
    Range,
    Related,
    Severity,
    SourceMap,
)
from aipc.core.wording import sentence
from aipc.debug.types import Localization
from aipc.numerics.types import NodeNumerics, Verdict
from aipc.qairt.explain import explain
from aipc.qairt.soc import get_soc

from .gates import PACKAGE_SQNR_DB

_MAX_RELATED = 12


@dataclass(slots=True)
class _Group:
    """Nodes of one expression that have the same to be said of them."""

    rule: str
    severity: Severity
    message: str
    range: Range | None
    compiler: str | None
    nodes: list[str] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    evidence: dict[str, object] = field(default_factory=dict)


def placement_findings(report: PlacementReport, sources: SourceMap) -> tuple[Finding, ...]:
    """One finding for each expression and reason: errors for what fails, warnings for what runs on the CPU."""
    soc = get_soc(report.soc)
    crossing = {cut.node: cut.bytes_crossing for cut in report.cuts}
    groups: dict[tuple[object, ...], _Group] = {}
    for node in report.nodes:
        if node.placement is Placement.NPU:
            continue
        explanation = explain(
            node.reason, op=node.op_type, soc=soc, placement=node.placement, precision=report.precision
        )
        fails = node.placement is Placement.FAILS or explanation.rule == "fp16-unsupported"
        place = _place(sources.origins(node.node))
        key = (explanation.rule, explanation.message, place)
        message = sentence(explanation.message, explanation.remedy)
        group = groups.setdefault(
            key,
            _Group(explanation.rule, Severity.ERROR if fails else Severity.WARNING, message, place, _compiler(node)),
        )
        group.nodes.append(node.node)
        group.origins.extend(sources.origins(node.node))
        if node.node in crossing:
            total = int(group.evidence.get("bytes_crossing", 0)) + crossing[node.node]  # type: ignore[call-overload]
            group.evidence["bytes_crossing"] = total
    if report.npu_partitions > 1:
        for group in groups.values():
            group.evidence["npu_partitions"] = report.npu_partitions
    return _findings(groups.values())


def _compiler(node: NodePlacement) -> str:
    return node.reason or f"{node.op_type} was not selected by the QNN execution provider; QAIRT gave no reason"


def numerics_findings(localization: Localization, sources: SourceMap, soc_name: str) -> tuple[Finding, ...]:
    """Warnings for expressions whose own numbers are wrong on the NPU."""
    soc = get_soc(soc_name)
    groups: dict[tuple[object, ...], _Group] = {}
    for node in localization.wrong():
        place = _place(sources.origins(node.node))
        key = (node.op_type, place)
        message = (
            f"the NPU of {soc.title} computes {node.op_type} here and gives other numbers than PyTorch: "
            f"{_figures(node)}."
        )
        group = groups.setdefault(key, _Group("wrong-numbers", Severity.WARNING, message, place, None))
        group.nodes.append(node.node)
        group.origins.extend(sources.origins(node.node))
        group.evidence |= {
            "sqnr_db": node.sqnr_db,
            "max_abs": node.max_abs,
            "ideal_fp16_sqnr_db": node.ideal_fp16_sqnr_db,
        }
        group.evidence["measured"] = node.detail
    for node in localization.nodes:
        if not _too_coarse(node):
            continue
        place = _place(sources.origins(node.node))
        message = (
            f"fp16 is too coarse for {node.op_type} here: even correctly rounded it has only "
            f"{node.ideal_fp16_sqnr_db:.1f} dB SQNR against fp32."
        )
        group = groups.setdefault(
            ("fp16-precision", node.op_type, place), _Group("fp16-precision", Severity.WARNING, message, place, None)
        )
        group.nodes.append(node.node)
        group.origins.extend(sources.origins(node.node))
    if not groups and localization.divergence:
        first = localization.divergence
        names = first.candidates or (first.node,)
        origins = [origin for name in names for origin in sources.origins(name)]
        message = (
            f"from here on the package differs from PyTorch: {first.sqnr_db:.1f} dB SQNR where correctly rounded fp16 "
            f"has {first.ideal_fp16_sqnr_db:.1f} dB, although every operator alone is right."
        )
        group = _Group("diverges", Severity.WARNING, message, _place(sources.origins(first.node)), None)
        group.nodes, group.origins = list(names), origins
        groups[("diverges",)] = group
    return _findings(groups.values())


def findings_at(
    rule: str, severity: Severity, message: str, nodes: Sequence[str], sources: SourceMap
) -> tuple[Finding, ...]:
    """One finding for each expression that made one of ``nodes``."""
    groups: dict[Range | None, _Group] = {}
    for node in nodes:
        place = _place(sources.origins(node))
        group = groups.setdefault(place, _Group(rule, severity, message, place, None))
        group.nodes.append(node)
        group.origins.extend(sources.origins(node))
    return _findings(groups.values())


def _too_coarse(node: NodeNumerics) -> bool:
    values = (node.sqnr_db, node.ideal_fp16_sqnr_db)
    return node.verdict is Verdict.ROUNDING and all(value is not None and value < PACKAGE_SQNR_DB for value in values)


def _figures(node: NodeNumerics) -> str:
    parts = []
    if node.sqnr_db is not None:
        parts.append(f"{node.sqnr_db:.1f} dB SQNR")
        if node.ideal_fp16_sqnr_db is not None:
            parts[-1] += f" where correctly rounded fp16 has {node.ideal_fp16_sqnr_db:.1f} dB"
    if node.expected is not None and node.actual is not None:
        parts.append(f"for example {node.actual:.6g} instead of {node.expected:.6g}")
    return ", ".join(parts) or "see the report"


def _place(origins: Sequence[Origin]) -> Range | None:
    """The author's expression; the library's where the author's code has no part in it."""
    for origin in origins:
        if origin.user_frame:
            return origin.user_frame.range
    return next((origin.frames[0].range for origin in origins if origin.frames), None)


def _findings(groups: Iterable[_Group]) -> tuple[Finding, ...]:
    findings = [
        Finding(
            group.rule,
            group.severity,
            group.message,
            group.range,
            group.compiler,
            _related(group.origins, group.range),
            tuple(group.nodes),
            evidence=group.evidence,
        )
        for group in groups
    ]
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[str, int, int, str]:
    if finding.range is None:
        return ("", 0, 0, finding.rule)
    return (finding.range.file, finding.range.start.line, finding.range.start.column, finding.rule)


def _related(origins: Sequence[Origin], place: Range | None) -> tuple[Related, ...]:
    """The library's frames, the other expressions of a merged node, and the module instances."""
    related: dict[tuple[str, Range], None] = {}
    for origin in dict.fromkeys(origins):
        instance = f" of {origin.module_path}" if origin.module_path else ""
        for frame in origin.frames:
            if frame.range != place:
                where = "in the library's" if frame.library else "called from"
                related.setdefault((f"{where} {frame.function}{instance}", frame.range))
    return tuple(Related(message, where) for message, where in list(related)[:_MAX_RELATED])


def count(findings: Iterable[Finding]) -> Mapping[str, int]:
    totals: dict[str, int] = {}
    for finding in findings:
        totals[finding.severity.value] = totals.get(finding.severity.value, 0) + 1
    return totals
