"""Applications on the command line: what the commands of models do for an application's name or package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text

from aipc.core.types import Severity

from ._console import show, write_json
from ._tables import check_page, deploy_page, gate_text
from ._work import CommandWork, working

if TYPE_CHECKING:
    from aipc.engine import AppCheckReport, ApplicationRequest, AppReport, AppRunReport


def check_application(request: ApplicationRequest, *, full: bool, as_json: bool, work: CommandWork) -> int:
    from aipc import engine

    report = engine.check_application(request, full=full, pool=work.pool, on_event=work.on_event, cancel=work.cancel)
    if as_json:
        write_json(report)
    else:
        show(*_check_page(report))
    findings = [finding for graph in report.graphs.values() for finding in graph.findings]
    return 1 if any(finding.severity is not Severity.INFORMATION for finding in findings) else 0


def deploy_application(request: ApplicationRequest, *, as_json: bool, work: CommandWork) -> int:
    from aipc import engine

    report = engine.deploy_application(request, work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        show(*_deploy_page(report))
    return 0 if report.ok else 1


def run_application(
    package: Path, arguments: Sequence[str], target: str, *, as_json: bool, time_limit: float, memory_limit: int
) -> int:
    from aipc import engine

    if not arguments:
        raise typer.BadParameter("an application answers --prompt or --audio: give one")
    with working(time_limit, memory_limit, models=False) as work:
        report = engine.run_application(package, arguments, target, work.pool, work.on_event, work.cancel)
    if as_json:
        write_json(report)
    else:
        show(*_run_page(report))
    return 0


def _check_page(report: AppCheckReport) -> Iterator[Any]:
    yield Text(f"{report.application}: {report.family}, {len(report.graphs)} graphs", "bold")
    for graph in report.graphs.values():
        yield Text("")
        yield from check_page(graph)


def _deploy_page(report: AppReport) -> Iterator[Any]:
    for graph in report.graphs.values():
        yield from deploy_page(graph)
        yield Text("")
    yield Text(
        f"{report.application}: {report.family} for {report.soc}, {report.precision}, run on {report.target}", "bold"
    )
    for expected, answer in zip(report.expected, report.answers, strict=True):
        yield Text(f"  {expected.sample!r}: {answer.text}")
        if answer.tokens != expected.tokens:
            yield Text(f"  {'PyTorch':>{len(repr(expected.sample))}}: {expected.text}", "yellow")
    if report.gate:
        yield gate_text(report.gate)
        if report.gate.ok:
            yield Text(report.gate.detail)
    if report.genie:
        yield Text("Genie, from the same package:")
        yield gate_text(report.genie)
    elif report.genie_note:
        yield Text(report.genie_note, "yellow")
    if report.package:
        yield Text(f"package: {report.package}, {report.size_bytes / 1e6:.1f} MB")
    if report.ok:
        yield Text(f"verified in {report.timings['total']:.1f} s", "bold green")
    else:
        failed = next((name for name, graph in report.graphs.items() if not graph.ok), None)
        what = "Genie's answers" if report.genie else "the answers"
        yield Text(f"not passed: {f'the graph {failed}' if failed else what}", "bold red")


def _run_page(report: AppRunReport) -> Iterator[Any]:
    for answer in report.answers:
        yield Text(answer.text if len(report.answers) == 1 else f"{answer.sample}: {answer.text}")
    if report.tokens_per_second is not None:
        yield Text(f"{report.tokens_per_second:.1f} tokens per second")
