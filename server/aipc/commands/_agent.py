"""What ``aipc agent`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from aipc.qairt.soc import get_soc
from aipc.source import split_lines

from ._tables import findings_lines

if TYPE_CHECKING:
    from aipc.agent.results import AgentReport

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def agent_page(report: AgentReport) -> Iterator[Any]:
    """The changes as a diff with their gates, what did not hold and why, what it cost, and what is left."""
    yield Text(f"{report.model} on {get_soc(report.soc).title}, QAIRT {report.qairt}; {report.endpoint}", "bold")
    for diff in report.diffs.values():
        for line in split_lines(diff):
            heading = line.startswith(("---", "+++"))
            yield Text(line, "bold" if heading else _STYLES.get(line[:1], ""))
    if report.proof:
        for gate in report.proof.gates:
            yield Text(f"  {gate.name}: {gate.words or 'passed'}", "green")
    for words in report.learned:
        yield Text(f"did not hold: {words}", "yellow")
    for words in report.attacks:
        yield Text(f"stopped: {words}", "bold red")
    yield from findings_lines(report.left)
    yield Text(usage_line(report))
    yield Text(f"trace: {report.trace}/trace.md")
    if report.capsule:
        yield Text(f"failure capsule: {report.capsule}")
    done = "written; " if report.applied else "--apply writes it; " if report.ok and report.edits else ""
    yield Text(f"{done}{report.words}", "bold green" if report.ok else "bold yellow")


def usage_line(report: AgentReport) -> str:
    """Requests, tokens, cost and time in one line."""
    usage = report.usage
    cost = "cost not known (no prices)" if usage.cost is None else f"cost {usage.cost:.4g}"
    guessed = f" ({usage.estimated} of them an upper bound)" if usage.estimated else ""
    return (
        f"{usage.requests} requests, {usage.prompt} prompt and {usage.completion} completion tokens{guessed}, {cost}, "
        f"{usage.seconds:.0f} s"
    )
