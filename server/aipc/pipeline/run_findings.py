"""The findings of a run, derived from what its stages made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aipc.core.json import from_plain
from aipc.core.provenance import Provenance
from aipc.core.types import Finding, PlacementReport, Severity

from .findings import findings_at, placement_findings
from .gates import capture_gate
from .origins import captured_source_map, deployed_provenance, float_provenance, quantized_provenance
from .probing import differing_capture_findings, probe_findings
from .solved import mark_solved, with_choices, with_choices_of_export
from .stage import Run
from .stages.capture import capture_findings
from .stages.placement import placement_report
from .stages.quantize import quantized_result
from .stages.rewrite import rewritten

_UNDECIDABLE = (
    "the NPU answers yes to infinities too where NaN is asked for: its fp16 holds both as one number, 131008. "
    "Ask for both by torch.isfinite, or limit the values by torch.clamp(x, -65504, 65504)."
)


def findings_of(run: Run) -> tuple[Finding, ...]:
    """What the stages so far say on the author's expressions; what is rewritten by itself is information."""
    if "capture" not in run.entries:
        return ()
    if not run.meta("capture")["ok"]:
        return with_choices_of_export(capture_findings(run))
    judged = (*differing_capture_findings(run), *probe_findings(run))
    if "placement" not in run.entries:
        return judged
    findings = placement_findings(placement_report(run), captured_source_map(run))
    if "rewrite" in run.entries:
        findings = _rewritten(run, findings)
    if quantized_result(run) is not None:
        report = from_plain(run.meta("quantize")["placement"], PlacementReport)
        late = placement_findings(report, deployed_provenance(run).source_map(captured_source_map(run)))
        findings = _joined(findings, late, quantized_provenance(run))
        findings = with_choices(findings, placement_report(run))
    return (*findings, *judged)


def _rewritten(run: Run, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    result = rewritten(run)
    if result.changed:
        if not capture_gate(result.equality, run.request.tolerance).ok:
            return findings
        findings = mark_solved(findings, result, captured_source_map(run))
    if result.placement:
        late = placement_findings(result.placement, float_provenance(run).source_map(captured_source_map(run)))
        findings = _joined(findings, late, Provenance(result.derived))
    sources = captured_source_map(run)
    nodes = sorted(Provenance(result.derived).sources(result.undecidable))
    findings += findings_at("wrong-numbers", Severity.WARNING, _UNDECIDABLE, nodes, sources)
    return with_choices(findings, placement_report(run))


def _joined(findings: Sequence[Finding], late: Iterable[Finding], provenance: Provenance) -> tuple[Finding, ...]:
    """The findings, and those of a later graph that none of them is about."""
    known = {name for finding in findings for name in finding.nodes}
    return (*findings, *(item for item in late if not known.intersection(provenance.sources(item.nodes))))
