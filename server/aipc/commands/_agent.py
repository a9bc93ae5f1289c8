"""What ``aipc agent`` prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text

from aipc.agent.visible import visible
from aipc.qairt.soc import get_soc
from aipc.source import split_lines

from ._tables import findings_lines

if TYPE_CHECKING:
    from aipc.agent.messages import Question
    from aipc.agent.verdicts import AgentReport, JudgeReport

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def agent_page(report: AgentReport) -> Iterator[Any]:
    """The changes as a diff with their gates, what did not hold and why, what it cost, and what is left."""
    yield Text(f"{report.model} on {get_soc(report.soc).title}, QAIRT {report.qairt}; {report.endpoint}", "bold")
    yield from _diff_lines(report.diffs)
    if report.proof:
        for gate in report.proof.gates:
            yield Text(f"  {gate.name}: {visible(gate.words) or 'passed'}", "green")
    for lesson in report.learned:
        yield Text(f"did not hold: {visible(lesson)}", "yellow")
    for lesson in report.attacks:
        yield Text(f"stopped: {visible(lesson)}", "bold red")
    yield from findings_lines(report.left)
    yield Text(usage_line(report))
    yield Text(f"trace: {report.trace}/trace.md")
    if report.capsule:
        yield Text(f"failure capsule: {report.capsule}")
    headline = (
        f"written, the files as they were are in {report.backup}; "
        if report.applied
        else "--apply writes it; "
        if report.ok and report.edits
        else ""
    )
    yield Text(f"{headline}{visible(report.words)}", "bold green" if report.ok else "bold yellow")


def _diff_lines(diffs: Mapping[str, str]) -> Iterator[Text]:
    for diff in diffs.values():
        for line in split_lines(visible(diff)):
            heading = line.startswith(("---", "+++"))
            yield Text(line, "bold" if heading else _STYLES.get(line[:1], ""))


def judge_page(report: JudgeReport) -> Iterator[Any]:
    """The diff, each gate with what was measured, and the verdict."""
    yield Text(f"{report.model} on {get_soc(report.soc).title} in {report.precision}, QAIRT {report.qairt}", "bold")
    yield from _diff_lines(report.diffs)
    for gate in report.verdict.gates:
        yield Text(f"  {gate.name}: {visible(gate.words) or 'passed'}", "green" if gate.ok else "bold red")
    failed = report.verdict.failed
    if failed is None:
        kind = "an approximate change, taken with your word" if report.verdict.approximate else "equal to the original"
        yield Text(f"The change passes every gate: {kind}.", "bold green")
    else:
        yield Text(f'The change is refused at the gate "{failed.name}".', "bold yellow")


def ask_user(question: Question) -> str | None:
    """Ask on a terminal. A language model wrote parts of the question: they are shown, and nothing of them is run."""
    choices = f" [{'/'.join(question.choices)}]" if question.choices else ""
    if diff := question.evidence.get("diff"):
        text = visible(question.text)
        print(f"\n{text}" if diff in text else f"\n{visible(diff)}\n{text}", end="", file=sys.stderr)
    else:
        print(f"\n{visible(question.text)}", end="", file=sys.stderr)
    print(f"{choices} ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() or None


def usage_line(report: AgentReport) -> str:
    """Requests, tokens, cost and time in one line."""
    usage = report.usage
    cost = "cost not known (no prices)" if usage.cost is None else f"cost {usage.cost:.4g}"
    guessed = f" ({usage.estimated} of them an upper bound)" if usage.estimated else ""
    return (
        f"{usage.requests} requests, {usage.prompt} prompt and {usage.completion} completion tokens{guessed}, {cost}, "
        f"{usage.seconds:.0f} s"
    )
