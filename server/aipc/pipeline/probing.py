"""From what probes gave to verdicts: which passed, which failed at which node, which say nothing."""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aipc.core.probes import ProbeResult, ProbeStatus
from aipc.core.types import Finding, Gate, OutputAccuracy, Range, Severity, SourceMap
from aipc.probes.examination import Cause, Divergence, Examined, PackageProbe, ProbeRun
from aipc.quantize.plan import QuantizationPlan

from .artifacts import CapturedGraph, CaptureVerification, ProbeAnswers, Verification
from .build import Build
from .findings import findings_at
from .gates import capture_gate, capture_threshold, package_gate


@dataclass(frozen=True, slots=True)
class VerifiedProbes:
    """The probes of a package; of the worst that was run on the target, its arrays and PyTorch's answer."""

    results: tuple[ProbeResult, ...] = ()
    worst: ProbeResult | None = None
    inputs: Path | None = None
    outputs: Path | None = None


_WAYS_OUT = {
    Cause.RANDOM: "Draw them outside of the model and pass them in as an input",
    Cause.STATE: "Make the state an input and an output of the model",
    Cause.EXPORT: "Write the expression in another form; it is a defect of the export, which is worth a report",
}
_ANSWERED = frozenset({"mask", "length", "index", "sample"})
"""Kinds whose ordinary inputs a model surely meets. Nobody knows that of pictures, sounds and numbers that are made."""
_STEADY_DB = 60.0
"""PyTorch's own fp32 against fp64, from which on its answer judges a package: 20 dB more than a package must have."""
_ONE_BIT_DB = 6.0
_MOST_FINDINGS = 6


def graph_probe_results(examined: Examined, tolerance: Mapping[str, float]) -> tuple[ProbeResult, ...]:
    """Every probe on the captured graph in fp32."""
    return (*(on_graph(probe, tolerance) for probe in examined.probes), *_left_out(examined))


def judged_probes(
    examined: Examined | None,
    verification: Verification | None,
    tolerance: Mapping[str, float],
    plan: QuantizationPlan | None,
) -> tuple[ProbeResult, ...]:
    """Every probe as far as it came: on the captured graph, on the rewritten one, on the package of ``plan``."""
    if examined is None:
        return ()
    rewritten = verification.rewritten_probes if verification else {}
    packaged = {item.name: item for item in verification.package_probes} if verification else {}
    results = []
    for probe in examined.probes:
        result = on_graph(probe, tolerance)
        if result.status is ProbeStatus.PASSED and probe.name in rewritten:
            result = on_rewritten(result, probe, rewritten[probe.name], tolerance)
        if result.status is ProbeStatus.PASSED and probe.name in packaged:
            result = on_package(result, probe, packaged[probe.name], tolerance, plan)
        results.append(result)
    return (*results, *_left_out(examined))


def probe_results(build: Build) -> tuple[ProbeResult, ...]:
    """The same of a build, as far as it is built."""
    answers = build.artifacts.get(ProbeAnswers)
    verification = build.artifacts.get(Verification)
    return judged_probes(answers.examined if answers else None, verification, build.request.tolerance, build.plan)


def _left_out(examined: Examined) -> Iterator[ProbeResult]:
    for item in examined.left_out:
        yield ProbeResult(
            name=item.name, title=item.title, kind=item.kind, status=ProbeStatus.LEFT_OUT, reason=item.reason
        )


def _base(probe: ProbeRun, accuracy: Sequence[OutputAccuracy]) -> ProbeResult:
    worst = min(accuracy, key=_order, default=None)
    return ProbeResult(
        name=probe.name,
        title=probe.title,
        kind=probe.kind,
        inputs=probe.inputs,
        status=ProbeStatus.PASSED,
        graph_sqnr_db=worst.sqnr_db if worst else None,
        output=worst.name if worst else "",
    )


def _order(item: OutputAccuracy) -> float:
    """What does not compare (NaN) is worst."""
    return item.sqnr_db if item.sqnr_db == item.sqnr_db else float("-inf")


def on_graph(probe: ProbeRun, tolerance: Mapping[str, float]) -> ProbeResult:
    """The result of a probe on the captured graph in fp32."""
    result = replace(_base(probe, probe.accuracy), threshold_db=capture_threshold(tolerance))
    gate = capture_gate(probe.accuracy, tolerance)
    if gate.ok:
        return result
    cause = probe.divergence
    if cause is not None and not cause.is_fault:
        # Rounding in fp32 alone: PyTorch's answer still tells a right package from a wrong one.
        steady = cause.cause is Cause.PRECISION and (cause.floor_db or 0.0) >= _STEADY_DB
        status = ProbeStatus.PASSED if steady else ProbeStatus.LEFT_OUT
        allowed = result.graph_sqnr_db if steady else result.threshold_db
        return replace(result, status=status, threshold_db=allowed, reason=left_out_reason(cause))
    return replace(
        result,
        status=ProbeStatus.FAILED,
        reason=fault_reason(cause, gate),
        nodes=cause.nodes if cause else (),
        evidence={"stage": "capture", **({"cause": cause.cause.value} if cause else {})},
    )


def left_out_reason(cause: Divergence) -> str:
    if cause.cause is Cause.TIES:
        return "values are equal, and PyTorch leaves open in which order they are taken"
    exact = f"; in fp64 both agree to {cause.exact_db:.0f} dB" if cause.exact_db is not None else ""
    return f"PyTorch's own fp32 is only good to {cause.floor_db or 0:.0f} dB here{exact}"


def fault_reason(cause: Divergence | None, gate: Gate) -> str:
    """In words, why a captured graph differs."""
    if cause is None:
        return gate.detail
    sentences = {
        Cause.RANDOM: f"the model draws random numbers ({cause.detail})",
        Cause.STATE: f"the model changes its own state ({cause.detail})",
        Cause.EXPORT: "the exported graph computes something else than PyTorch"
        + (f" from `{cause.detail}` on" if cause.detail else ""),
    }
    return sentences.get(cause.cause, cause.cause.value)


def on_rewritten(
    result: ProbeResult, probe: ProbeRun, accuracy: Sequence[OutputAccuracy], tolerance: Mapping[str, float]
) -> ProbeResult:
    """The result of a probe that passed on the captured graph, with what the rewritten one gave in fp32."""
    again = _base(probe, accuracy)
    # Where fp32 itself rounds, another order of the same sums may lose one bit more.
    allowed = result.threshold_db if result.threshold_db is not None else capture_threshold(tolerance)
    if allowed < capture_threshold(tolerance):
        allowed -= _ONE_BIT_DB
    if capture_gate(accuracy, {"capture_sqnr_db": allowed}).ok:
        return result
    return replace(
        again,
        status=ProbeStatus.FAILED,
        threshold_db=result.threshold_db,
        reason="a rewrite of the graph changes its answer here: this is a defect of AIPC, please report it",
        evidence={"stage": "rewrite"},
    )


def on_package(
    result: ProbeResult,
    probe: ProbeRun,
    package_probe: PackageProbe,
    tolerance: Mapping[str, float],
    plan: QuantizationPlan | None,
) -> ProbeResult:
    """The result of a probe that passed in fp32, with what the package of ``plan`` gave on it."""
    gate = package_gate(package_probe.accuracy, tolerance, plan)
    worst = min(package_probe.accuracy, key=_order)
    result = replace(
        result,
        package_sqnr_db=worst.sqnr_db,
        ideal_fp16_sqnr_db=worst.ideal_fp16_sqnr_db,
        threshold_db=gate.threshold,
        output=worst.name,
    )
    if gate.ok:
        return result
    what = "correctly rounded fp16" if plan is None else "the quantized graph as such"
    # A package that takes the integers themselves has no ideal run: the worst is assumed of it.
    ideal_fails = not package_gate(package_probe.ideal, tolerance, plan).ok if package_probe.ideal else plan is not None
    if probe.outside:
        return replace(result, status=ProbeStatus.LIMIT, reason="its values are far outside of the example's")
    if plan is not None and _is_quiet(package_probe, gate.threshold):
        reason = "its outputs are small next to those of the held-out samples, and so is the error that integers make"
        return replace(result, status=ProbeStatus.LIMIT, reason=reason)
    needs_infinity = ideal_fails and bool(package_probe.ieee) and package_gate(package_probe.ieee, tolerance, plan).ok
    answered = probe.kind in _ANSWERED and (not probe.edge or needs_infinity)
    if ideal_fails and not answered:
        return replace(result, status=ProbeStatus.LIMIT, reason=f"{what} has no better answer for this input")
    reason = f"{what} is too coarse for it" if ideal_fails else f"the NPU gives another answer where {what} does not"
    if needs_infinity:
        reason = "it needs infinities or NaN, which the NPU has not; write it with finite numbers or booleans"
        ideal_fails = False
    return replace(
        result, status=ProbeStatus.FAILED, reason=reason, evidence={"stage": "package", "too_coarse": ideal_fails}
    )


def probes_gate(results: Iterable[ProbeResult], threshold: float) -> Gate:
    """Fails at the first failed probe, the most telling one; passes with the worst of those that did."""
    results = tuple(results)
    failed = [item for item in results if item.status is ProbeStatus.FAILED]
    if failed:
        first = failed[0]
        more = f"; {len(failed) - 1} more probes fail" if len(failed) > 1 else ""
        return Gate(
            "sqnr_db",
            _figure(first),
            first.threshold_db if first.threshold_db is not None else threshold,
            False,
            f"output {first.output} on {first.title}: {first.reason}{more}",
            tuple(dict.fromkeys(node for item in failed for node in item.nodes)),
        )
    judged = [item for item in results if item.status is ProbeStatus.PASSED]
    if not judged:
        return Gate("probes", 0.0, 0.0, True, "no probe could be judged")
    worst = min(judged, key=_figure)
    return Gate(
        "sqnr_db",
        _figure(worst),
        worst.threshold_db or threshold,
        True,
        f"{len(judged)} probes; worst on {worst.title}",
    )


def _figure(item: ProbeResult) -> float:
    value = item.package_sqnr_db if item.package_sqnr_db is not None else item.graph_sqnr_db
    return value if value is not None and value == value else float("-inf")


def worst_probe(results: Sequence[ProbeResult]) -> ProbeResult | None:
    """The probe that passed with the least to spare on the target; None where none was run there."""
    ran = [item for item in results if item.status is ProbeStatus.PASSED and item.package_sqnr_db is not None]
    finite = [item for item in ran if item.package_sqnr_db is not None and abs(item.package_sqnr_db) != float("inf")]
    return min(finite or ran, key=_figure, default=None)


def verified_probes(build: Build) -> VerifiedProbes:
    """What the package's manifest says of probes, and the files of the worst, which the package tests itself with."""
    results = probe_results(build)
    worst = worst_probe(results)
    if worst is None:
        return VerifiedProbes(results)
    answers = build.artifacts[ProbeAnswers]
    return VerifiedProbes(results, worst, answers.inputs(worst.name), answers.reference(worst.name))


def _is_quiet(package_probe: PackageProbe, threshold_db: float) -> bool:
    """Whether every error on a probe is as small as it may be on the held-out samples, whose ranges made the steps."""
    return all(
        item.sqnr_db >= threshold_db
        or (not item.nan and not item.inf and package_probe.usual_db.get(item.name, float("-inf")) >= threshold_db)
        for item in package_probe.accuracy
    )


def failed_on_package(build: Build) -> tuple[ProbeResult, Path] | None:
    """The first probe that fails on the package and its arrays, where the example and the graph in fp32 are right."""
    verification = build.artifacts.get(Verification)
    if verification is None or not package_gate(verification.outputs, build.request.tolerance, build.plan).ok:
        return None
    failed = (item for item in probe_results(build) if item.evidence.get("stage") == "package")
    first = next(failed, None)
    return (first, build.artifacts[ProbeAnswers].inputs(first.name)) if first else None


def on_probe(findings: Sequence[Finding], probe: ProbeResult) -> tuple[Finding, ...]:
    """Findings on the package's numbers that were measured on a probe: the input first, then what is wrong there."""
    return tuple(
        replace(item, rule="probe", message=f"On {probe.title} the package fails; {item.message}") for item in findings
    )


def at_culprits(build: Build, findings: Iterable[Finding]) -> list[Finding]:
    """``findings`` with failed probes of the package at the first expression that was located for them.

    Only running the package's parts tells which expression it is, so such a finding has no line of its own. Where they
    are all right alone, it stands at the expression that computes the output.
    """
    findings = list(findings)
    culprits = (item for item in findings if item.range and item.rule in {"probe", "quantization-error"})
    culprit = next(culprits, None)
    placed = []
    for item in findings:
        if item.rule == "probe" and item.range is None:
            place = culprit or _at_output(build, str(item.evidence.get("output", "")))
            item = replace(item, range=place.range, nodes=place.nodes) if place else item
        placed.append(item)
    return placed


def _at_output(build: Build, output: str) -> Finding | None:
    """A finding at the expression that computes an output."""
    answers = build.artifacts.get(ProbeAnswers)
    node = answers.examined.producers.get(output) if answers and answers.examined else None
    if not node:
        return None
    return next(iter(findings_at("probe", Severity.ERROR, "", [node], build.captured.source_map)), None)


def probe_findings(build: Build) -> tuple[Finding, ...]:
    """A finding on the line of each failed probe whose nodes are known; the others are the gate's alone."""
    failed = [item for item in probe_results(build) if item.status is ProbeStatus.FAILED]
    sources = build.captured.source_map if failed else SourceMap()
    groups: dict[tuple[tuple[str, ...], str], list[ProbeResult]] = {}
    for item in failed:
        groups.setdefault((item.nodes, item.reason), []).append(item)
    findings: list[Finding] = []
    for (nodes, reason), items in list(groups.items())[:_MOST_FINDINGS]:
        findings += _findings(nodes, reason, items, sources)
    return tuple(findings)


def another_capture_may_help(build: Build) -> bool:
    """Whether the model captured in another way may be right: random numbers and state differ in each of them."""
    verification = build.artifacts.get(CaptureVerification)
    if verification is None:
        captured = build.artifacts.get(CapturedGraph)
        findings = captured.result.findings if captured else ()
        return not any(item.rule in {"capture-random", "capture-state"} for item in findings)
    return verification.divergence is None or verification.divergence.cause is Cause.EXPORT


def differing_capture_findings(build: Build) -> tuple[Finding, ...]:
    """A finding on the line at which the captured graph leaves PyTorch on the example inputs."""
    verification = build.artifacts.get(CaptureVerification)
    divergence = verification.divergence if verification else None
    if verification is None or divergence is None or not divergence.is_fault:
        return ()
    gate = capture_gate(verification.outputs, build.request.tolerance)
    sources = build.captured.source_map
    figure = "" if gate.value is None else f": {gate.value:.1f} dB SQNR, {gate.threshold:.3g} wanted"
    message = f"{fault_reason(divergence, gate)}{figure}. {_WAYS_OUT[divergence.cause]}."
    message = message[:1].upper() + message[1:]
    evidence = {"cause": divergence.cause.value, "sqnr_db": gate.value}
    located = findings_at("capture-differs", Severity.ERROR, message, divergence.nodes[:1], sources)
    return tuple(replace(item, evidence=evidence) for item in located) or (
        Finding("capture-differs", Severity.ERROR, message, _still_there(divergence), evidence=evidence),
    )


def _still_there(divergence: Divergence) -> Range | None:
    """Where the expression was found, if its line is still the same."""
    place = divergence.place
    if place is None:
        return None
    linecache.checkcache(place.file)
    return place if linecache.getline(place.file, place.start.line).strip() == divergence.text else None


def _findings(
    nodes: Sequence[str], reason: str, items: Sequence[ProbeResult], sources: SourceMap
) -> tuple[Finding, ...]:
    first = items[0]
    others = f", and on {items[1].title}" if len(items) > 1 else ""
    others += f" and {len(items) - 2} more" if len(items) > 2 else ""
    figure = f"{_figure(first):.1f} dB SQNR, {first.threshold_db or 0:.3g} wanted"
    message = f"On {first.title}{others} the output `{first.output}` is not PyTorch's: {figure}. Cause: {reason}."
    if first.evidence.get("too_coarse"):
        message += " Keep its numbers in a smaller range, or compute this part outside of the model."
    elif first.evidence.get("stage") == "package":
        message += " Write the expression in another form; if no such input occurs, --no-probes deploys without it."
    located = findings_at("probe", Severity.ERROR, message, nodes, sources) if nodes else ()
    evidence = {
        "probes": [item.name for item in items],
        "sqnr_db": _figure(first),
        "title": first.title,
        "output": first.output,
    }
    return tuple(replace(item, evidence={**item.evidence, **evidence}) for item in located) or (
        Finding("probe", Severity.ERROR, message, None, nodes=tuple(nodes), evidence=evidence),
    )
