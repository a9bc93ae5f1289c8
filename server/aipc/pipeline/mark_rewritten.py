"""Which findings deploy solves by itself, and between what the author can choose for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aipc.core.provenance import Provenance
from aipc.core.types import Finding, Fix, Placement, PlacementReport, Severity, SourceMap
from aipc.qairt.explain import fact_of
from aipc.rewrites.choices import Choice, choices_for, choices_in
from aipc.rewrites.proofs import Application, Rewritten, Trigger

from .findings import findings_at


def mark_solved(findings: Sequence[Finding], result: Rewritten, captured: SourceMap) -> tuple[Finding, ...]:
    """The findings, those that the rewritten graph has no more as information, and what else was rewritten.

    Args:
        result: what was rewritten, proved and gated.
        captured: the captured graph's source map.
    """
    rules = _rules(result)
    off = _off(result)
    marked = []
    for finding in findings:
        solved = bool(finding.nodes) and not off.intersection(finding.nodes)
        marked.append(_solved(finding, rules) if solved else finding)
    names = {name for finding in findings for name in finding.nodes}
    wrong: dict[str, tuple[Application, list[str]]] = {}
    for item in result.applications:
        if item.trigger is Trigger.WRONG and item.cause not in names:
            wrong.setdefault(item.rule, (item, []))[1].append(item.cause)
    for item, nodes in wrong.values():
        message = (
            "The NPU gives other numbers than PyTorch for this expression as it is written. "
            f"Deploy solves this by itself: {item.title}."
        )
        fix = Fix(item.title, item.rule, proved=True)
        marked += [
            replace(finding, fixes=(fix,))
            for finding in findings_at("wrong-numbers", Severity.INFORMATION, message, nodes, captured)
        ]
    return tuple(marked)


def with_choices(findings: Sequence[Finding], report: PlacementReport) -> tuple[Finding, ...]:
    """The findings that are left, with what the author can choose between as evidence."""
    ops = {node.node: node.op_type for node in report.nodes}
    results = []
    for finding in findings:
        kinds = dict.fromkeys(ops[name] for name in finding.nodes if name in ops)
        left = finding.severity is not Severity.INFORMATION
        choices = [choice for op in kinds for choice in choices_for(op, finding.rule)] if left else []
        results.append(_chosen(finding, choices))
    return tuple(results)


def with_choices_of_export(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of an export that failed, with what the author can choose between as evidence."""
    results = []
    for finding in findings:
        choices = list(choices_in(f"{finding.message} {finding.compiler or ''}"))
        results.append(_chosen(finding, choices))
    return tuple(results)


def _chosen(finding: Finding, options: Sequence[Choice]) -> Finding:
    choices = [{"reason": choice.reason, "options": list(choice.options)} for choice in options]
    return replace(finding, evidence={**finding.evidence, "choices": choices}) if choices else finding


def _off(result: Rewritten) -> set[str]:
    """Captured nodes of which something in the rewritten graph is off the NPU."""
    nodes = result.placement.nodes if result.placement else ()
    left = [node.node for node in nodes if node.placement is not Placement.NPU]
    return set(Provenance(result.derived).sources(left))


def _rules(result: Rewritten) -> Mapping[str, dict[str, str]]:
    """Captured node -> the rules (code -> title) that replaced it or what it became."""
    rules: dict[str, dict[str, str]] = {}
    for item in result.applications:
        for name in {item.cause, *item.nodes}:
            if item.trigger is not Trigger.UNBUILDABLE or name == item.root:
                rules.setdefault(name, {})[item.rule] = item.title
    return rules


def _solved(finding: Finding, rules: Mapping[str, dict[str, str]]) -> Finding:
    used = {code: title for name in finding.nodes for code, title in rules.get(name, {}).items()}
    fixes = tuple(Fix(title, code, proved=True) for code, title in used.items())
    note = "; ".join(used.values()) or "what stands around it is rewritten"
    message = f"{fact_of(finding.message)} Deploy solves this by itself: {note}."
    return replace(finding, severity=Severity.INFORMATION, message=message, fixes=(*finding.fixes, *fixes))
