"""The findings of a build: all are derived here, from its artifacts and from what was measured after them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aipc.core.provenance import Provenance
from aipc.core.types import Finding, Severity
from aipc.core.wording import sentence

from .artifacts import CapturedGraph, CaptureVerification, GraphPlacement, RewrittenGraph
from .attribution import culprit_findings
from .build import Build
from .diagnosis import Diagnosis
from .findings import findings_at, numerics_findings, placement_findings
from .gates import capture_gate
from .mark_rewritten import mark_solved, with_choices, with_choices_of_export
from .probing import at_culprits, differing_capture_findings, on_probe, probe_findings

_UNDECIDABLE = (
    "the NPU answers yes to infinities too where NaN is asked for: its fp16 holds both as one number, 131008. "
    "Ask for both by torch.isfinite, or limit the values by torch.clamp(x, -65504, 65504)."
)


def findings_of(build: Build, diagnosis: Diagnosis | None = None) -> tuple[Finding, ...]:
    """What is to be said of a build on the author's expressions; what is rewritten by itself is information.

    Args:
        diagnosis: what was measured after the stages.
    """
    findings = _of_artifacts(build)
    if diagnosis is not None:
        findings = tuple(at_culprits(build, (*findings, *_numbers(build, diagnosis))))
    return tuple(replace(finding, message=sentence(finding.message)) for finding in findings)


def _of_artifacts(build: Build) -> tuple[Finding, ...]:
    captured = build.artifacts.get(CapturedGraph)
    if captured is None:
        return ()
    if not captured.result.ok:
        return with_choices_of_export(captured.result.findings)
    judged = (*_lowered(build, captured), *differing_capture_findings(build), *probe_findings(build))
    placement = build.artifacts.get(GraphPlacement)
    if placement is None:
        return judged
    findings = placement_findings(placement.report, captured.source_map)
    if (rewritten := build.artifacts.get(RewrittenGraph)) and _is_equal(build, rewritten):
        findings = with_choices(_with_rewrites(build, rewritten, findings), placement.report)
    if build.quantized is not None and build.quantized.placement is not None:
        late = placement_findings(build.quantized.placement, build.provenance.source_map(captured.source_map))
        findings = with_choices(_joined(findings, late, build.quantized.provenance), placement.report)
    return (*findings, *judged)


def _lowered(build: Build, captured: CapturedGraph) -> tuple[Finding, ...]:
    """A note on each expression that PyTorch computes in float64, with what float32 loses on the example."""
    if not captured.result.lowered:
        return ()
    note = "deploy measures what that loses"
    if verification := build.artifacts.get(CaptureVerification):
        figure = min((item.sqnr_db for item in verification.outputs), default=float("inf"))
        note = f"on the example that leaves {figure:.1f} dB SQNR against PyTorch's own answer"
        note = "on the example that loses nothing" if figure == float("inf") else note
    message = f"float64 is computed in float32, since no NPU computes in it; {note}."
    return findings_at("float64", Severity.INFORMATION, message, captured.result.lowered, captured.source_map)


def _is_equal(build: Build, rewritten: RewrittenGraph) -> bool:
    """Whether the rewritten graph may be deployed instead of the captured one."""
    return not rewritten.changed or capture_gate(rewritten.result.equality, build.request.tolerance).ok


def _with_rewrites(build: Build, rewritten: RewrittenGraph, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    result, captured = rewritten.result, build.captured.source_map
    if result.changed:
        findings = mark_solved(findings, result, captured)
    if result.placement:
        late = placement_findings(result.placement, rewritten.provenance.source_map(captured))
        findings = _joined(findings, late, rewritten.provenance)
    nodes = sorted(rewritten.provenance.sources(result.undecidable))
    return findings + findings_at("wrong-numbers", Severity.WARNING, _UNDECIDABLE, nodes, captured)


def _numbers(build: Build, diagnosis: Diagnosis) -> tuple[Finding, ...]:
    """Where the package loses its numbers.

    A layer that is kept in a higher precision is information, with what it would introduce; when the gate was not
    passed, what still introduces the error is a warning.
    """
    if diagnosis.localized is not None:
        sources = build.provenance.source_map(build.captured.source_map)
        findings = numerics_findings(diagnosis.localized.localization, sources, build.request.soc)
        return on_probe(findings, diagnosis.localized.probe) if diagnosis.localized.probe else findings
    plan = build.plan
    if plan is None:
        return ()
    sources = build.captured.source_map
    kinds = {node.node: node.op_type for node in build.artifacts[GraphPlacement].report.nodes}
    if diagnosis.higher_layers is not None:
        base, introduced = diagnosis.higher_layers
        nodes = {*build.float_provenance.sources((*plan.higher, *plan.float_nodes))}
        where = " Deploy keeps it at 16 bits." if plan.higher else " Deploy keeps it in fp16."
        culprits = culprit_findings(introduced, sources, base.label, bits=base.activation_bits, kinds=kinds)
        return tuple(
            replace(finding, severity=Severity.INFORMATION, message=finding.message + where)
            for finding in culprits
            if nodes.intersection(finding.nodes)
        )
    if diagnosis.accuracy is not None and not diagnosis.ok:
        return culprit_findings(diagnosis.accuracy, sources, plan.label, bits=plan.activation_bits, kinds=kinds)
    return ()


def _joined(findings: Sequence[Finding], late: Iterable[Finding], provenance: Provenance) -> tuple[Finding, ...]:
    """The findings, and those of a later graph that none of them is about."""
    known = {name for finding in findings for name in finding.nodes}
    return (*findings, *(item for item in late if not known.intersection(provenance.sources(item.nodes))))
