"""Operators of a captured graph that the NPU is known to compute wrongly, with the numbers that were measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aipc.core.types import Finding, PlacementReport, Range, Severity, SourceMap
from aipc.lint import lint
from aipc.qairt.explain import fact_of

_RULE = "wrong-numbers"


def with_known_wrong(
    findings: Sequence[Finding],
    placement: PlacementReport,
    sources: SourceMap,
    unsaved: Mapping[str, str],
    *,
    rewritten: bool,
) -> tuple[Finding, ...]:
    """The findings, and one on each expression whose operators the matrix has measured to give other numbers.

    An operator counts where the graph still has it at that expression: the exporter and the author's constants may
    have made another of it.

    Args:
        placement: of the captured graph in fp16, which is what the matrix was measured in.
        unsaved: path -> text of files that are to be read as the editor has them.
        rewritten: the findings say already what deploy rewrites; what they do not name is not rewritten.
    """
    places = _places(placement, sources)
    reported = {item.range: index for index, item in enumerate(findings) if item.rule == _RULE}
    results = list(findings)
    for known in _known(places, unsaved, placement.soc):
        assert known.range
        operators = known.evidence["operators"]
        nodes = tuple(name for name, op_type in places[known.range] if op_type in operators)
        if not nodes:
            continue
        if (index := reported.get(known.range)) is not None:
            results[index] = _with_figures(results[index], known)
        elif rewritten:
            fact = fact_of(known.message)
            results.append(replace(known, nodes=nodes, severity=Severity.WARNING, message=fact))
        else:
            results.append(replace(known, nodes=nodes))
    return tuple(results)


def _places(placement: PlacementReport, sources: SourceMap) -> dict[Range, list[tuple[str, str]]]:
    """Expression of the author's -> (node, operator) of what it made."""
    places: dict[Range, list[tuple[str, str]]] = defaultdict(list)
    for node in placement.nodes:
        for origin in sources.origins(node.node):
            if frame := origin.user_frame:
                places[frame.range].append((node.node, node.op_type))
    return places


def _known(places: Mapping[Range, object], unsaved: Mapping[str, str], soc: str) -> list[Finding]:
    """What the text of the author's files says of expressions that made nodes."""
    findings = []
    for file in sorted({place.file for place in places}):
        try:
            text = unsaved[file] if file in unsaved else Path(file).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        findings += [item for item in lint(text, file, soc) if item.rule == _RULE and item.range in places]
    return findings


def _with_figures(finding: Finding, known: Finding) -> Finding:
    """What deploy rewrites, with the numbers that it would have had; a finding with numbers of its own as it is."""
    if finding.severity is not Severity.INFORMATION or "sqnr_db" in finding.evidence:
        return finding
    titles = "; ".join(dict.fromkeys(fix.title for fix in finding.fixes))
    return replace(finding, message=f"{fact_of(known.message)} Deploy solves this by itself: {titles}.")
