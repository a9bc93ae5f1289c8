"""Fixes of the author's source: prove what rules propose, and apply what is proved."""

from __future__ import annotations

import ast
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aipc import engine
from aipc.core.files import replace_text as _write
from aipc.core.requests import FixRequest
from aipc.core.types import CheckReport, Event, Finding, Fix, Range
from aipc.core.workers import WorkerPool, pool_or_new
from aipc.pipeline.artifacts import GraphPlacement
from aipc.pipeline.fixing import Prover, Rejected, proposals
from aipc.source.edits import join, unified_diff

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class AppliedFix:
    """One proved fix and the expression that it was made for."""

    fix: Fix
    finding: str
    range: Range | None


@dataclass(frozen=True, slots=True)
class FixReport:
    """``diffs``: file -> unified diff. ``left``: the findings that the fixed model still has."""

    model: str
    soc: str
    precision: str
    qairt: str
    applied: bool
    fixes: tuple[AppliedFix, ...]
    rejected: tuple[Rejected, ...]
    diffs: Mapping[str, str]
    left: tuple[Finding, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Together:
    """All fixes of a file, or of a class in it, as one edit that was proved as a whole."""

    file: str
    scope: str
    """Name of the class; empty for the file."""
    fix: Fix
    count: int


@dataclass(frozen=True, slots=True)
class Proved:
    """The findings of a check with those fixes only that hold, and what they give together."""

    findings: tuple[Finding, ...]
    together: tuple[Together, ...]
    rejected: tuple[Rejected, ...]


def prove_fixes(
    request: engine.CheckRequest,
    report: CheckReport,
    pool: WorkerPool | None = None,
    on_event: engine.OnEvent | None = None,
    cancel: threading.Event | None = None,
    *,
    together: bool = True,
) -> Proved:
    """Prove every edit that the findings of a check propose, on the model that was checked.

    Raises:
        AipcError: proving could not be set up. A fix that does not hold is among ``rejected``.
    """
    offered = list(proposals(report.findings))
    if not offered:
        return Proved(report.findings, (), ())
    cached = replace(request, use_cache=True)
    with engine.opened_run(cached, (GraphPlacement,), pool, on_event, cancel) as (run, _):
        prover = Prover(run)
        rejected: list[Rejected] = []
        fixes_by_finding: dict[int, list[Fix]] = {}
        for number, (finding, fix) in enumerate(offered):
            run.on_event(Event("fixes", f"proving: {fix.title}", number / len(offered)))
            proved = prover.prove(fix, finding.nodes)
            if isinstance(proved, Rejected):
                rejected.append(proved)
            else:
                fixes_by_finding.setdefault(id(finding), []).append(proved)
        findings = tuple(
            replace(item, fixes=(*fixes_by_finding.get(id(item), ()), *(fix for fix in item.fixes if not fix.edits)))
            for item in report.findings
        )
        joint = tuple(_together(prover, findings)) if together else ()
    return Proved(findings, joint, tuple(rejected))


def _together(prover: Prover, findings: Sequence[Finding]) -> list[Together]:
    """What the proved fixes of each file, and of each class with some but not all of them, give as one edit."""
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.range and any(fix.edits for fix in finding.fixes):
            by_file.setdefault(finding.range.file, []).append(finding)
    joint_fixes = []
    for file, members in by_file.items():
        groups: dict[str, list[Finding]] = {"": members}
        for finding in members:
            scope = _class_of(prover, finding)
            if scope:
                groups.setdefault(scope, []).append(finding)
        for scope, group in groups.items():
            if len(group) < 2 or (scope and len(group) == len(members)):
                continue
            joint = _joint([next(fix for fix in item.fixes if fix.edits) for item in group])
            if joint is None:
                continue
            nodes = [name for item in group for name in item.nodes]
            proved = prover.prove(joint[0], nodes)
            if isinstance(proved, Fix):
                joint_fixes.append(Together(file, scope, proved, joint[1]))
    return joint_fixes


def _joint(fixes: Sequence[Fix]) -> tuple[Fix, int] | None:
    joined, edits = join(fixes)
    if len(joined) < 2:
        return None
    rules = ",".join(dict.fromkeys(fix.rule for fix in joined))
    return Fix("; ".join(dict.fromkeys(fix.title for fix in joined)), rules, edits=edits), len(joined)


def _class_of(prover: Prover, finding: Finding) -> str:
    """The outermost class around a finding."""
    assert finding.range
    line = finding.range.start.line
    for node in ast.parse(prover.text(finding.range.file)).body:
        if isinstance(node, ast.ClassDef) and node.lineno <= line <= (node.end_lineno or node.lineno):
            return node.name
    return ""


def fix(
    request: FixRequest,
    pool: WorkerPool | None = None,
    on_event: engine.OnEvent | None = None,
    cancel: threading.Event | None = None,
) -> FixReport:
    """Fix a model's source as far as fixes can be proved, round by round until nothing is left to do.

    Raises:
        AipcError: the model could not be checked, or a file could not be written.
    """
    started = time.perf_counter()
    originals: dict[str, str] = {}
    texts: dict[str, str] = {}
    applied: list[AppliedFix] = []
    rejected: dict[tuple[Any, ...], Rejected] = {}
    with pool_or_new(pool) as workers:
        check_request = engine.CheckRequest(
            request.model,
            soc=request.soc,
            precision=request.precision,
            inputs=request.inputs,
            cwd=request.cwd,
            use_cache=request.use_cache,
        )
        for _ in range(_ROUNDS):
            check_request = replace(check_request, unsaved=dict(texts))
            report = engine.check(check_request, workers, on_event, cancel)
            proved = prove_fixes(check_request, report, workers, on_event, cancel, together=False)
            for item in proved.rejected:
                rejected.setdefault((item.fix.rule, item.fix.edits), item)
            holding = [(finding, item) for finding, item in proposals(proved.findings)]
            if not holding:
                break
            cached = replace(check_request, use_cache=True)
            with engine.opened_run(cached, (GraphPlacement,), workers, on_event, cancel) as (run, _):
                prover = Prover(run)
                joined = _choose_fixes(prover, holding)
                edits = tuple(dict.fromkeys(edit for _, item in joined for edit in item.edits))
                for place, _ in edits:
                    originals.setdefault(place.file, prover.text(place.file))
                texts |= prover.texts(edits)
            applied += [AppliedFix(item, finding.rule, finding.range) for finding, item in joined]
    diffs = {file: unified_diff(originals[file], text, _shown(file, request.cwd)) for file, text in texts.items()}
    if request.apply:
        for file, text in texts.items():
            _write(Path(file), originals[file], text)
    return FixReport(
        report.model,
        report.soc,
        report.precision,
        report.qairt,
        request.apply and bool(texts),
        tuple(applied),
        tuple(rejected.values()),
        diffs,
        proved.findings,
        {"total": round(time.perf_counter() - started, 4)},
    )


def _choose_fixes(prover: Prover, holding: Sequence[tuple[Finding, Fix]]) -> list[tuple[Finding, Fix]]:
    """All fixes that hold together; the first alone when they do not."""
    firsts = list({id(finding): (finding, item) for finding, item in reversed(holding)}.values())[::-1]
    joined, _ = join(item for _, item in firsts)
    chosen = [pair for pair in firsts if pair[1] in joined]
    joint = _joint([item for _, item in chosen])
    if joint is None:
        return chosen[:1]
    nodes = [name for finding, _ in chosen for name in finding.nodes]
    return chosen if isinstance(prover.prove(joint[0], nodes), Fix) else chosen[:1]


def _shown(file: str, cwd: Path | None) -> str:
    try:
        return str(Path(file).relative_to((cwd or Path.cwd()).resolve()))
    except ValueError:
        return file
