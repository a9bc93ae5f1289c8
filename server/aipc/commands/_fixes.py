"""What ``aipc fix`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.text import Text

from aipc.qairt.soc import get_soc
from aipc.source import split_lines

from ._tables import findings_lines, place

if TYPE_CHECKING:
    from aipc.fix import FixReport

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def fix_page(report: FixReport) -> Iterator[Any]:
    """The changes as a diff, each fix with its proof, what was not offered and why, and the findings that are left."""
    yield Text(f"{report.model} on {get_soc(report.soc).title}, {report.precision}, QAIRT {report.qairt}", "bold")
    for diff in report.diffs.values():
        for line in split_lines(diff):
            heading = line.startswith(("---", "+++"))
            yield Text(line, "bold" if heading else _STYLES.get(line[:1], ""))
    for item in report.fixes:
        yield Text(f"proved: {item.fix.title}", "green")
        yield Text(f"  {place(item.range)} {item.fix.proof}")
    for rejected in report.rejected:
        yield Text(f"not offered: {rejected.fix.title}", "yellow")
        yield Text(f"  {rejected.why}")
    yield from findings_lines(report.left)
    count = len(report.fixes)
    if not count:
        yield Text("no fix of the source is proved for this model", "yellow")
    elif report.applied:
        yield Text(f"{count} fix{'es' * (count != 1)} applied", "bold green")
    else:
        yield Text(f"{count} fix{'es' * (count != 1)} proved; --apply writes {'them' if count != 1 else 'it'}", "bold")
