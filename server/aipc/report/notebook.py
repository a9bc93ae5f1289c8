"""Reports as HTML fragments for notebooks. Every text from outside is escaped by the templates."""

from __future__ import annotations

import difflib
import linecache
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import cache_from_source
from itertools import groupby
from pathlib import Path
from typing import Any

from aipc.core.accuracy import NodeError
from aipc.core.probes import summary
from aipc.core.types import CheckReport, Finding, Fix, Gate, NodePlacement, Range
from aipc.core.wording import gate_figures, words_heading

from .comparison import Comparison, figure

_AROUND = 2
"""Lines of source shown before and after a finding."""


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    before: str
    marked: str
    after: str


def fragment(report: Any) -> str:
    """HTML of a report, with its own style, for a notebook's output."""
    kind = "check" if isinstance(report, CheckReport) else "compare" if isinstance(report, Comparison) else "deploy"
    text: str = environment().get_template(f"{kind}.html").render(report=report)
    return text


def source_lines(place: Range | None) -> list[_Line]:
    """The lines around ``place``, its text marked; empty where the source cannot be read."""
    if place is None or not linecache.getline(place.file, place.start.line):
        return []
    shown = []
    for number in range(max(1, place.start.line - _AROUND), place.end.line + _AROUND + 1):
        text = linecache.getline(place.file, number)
        if not text:
            break
        text = text.rstrip("\r\n")
        if not place.start.line <= number <= place.end.line:
            shown.append(_Line(number, text, "", ""))
            continue
        first = place.start.column if number == place.start.line else len(text) - len(text.lstrip())
        last = place.end.column if number == place.end.line else len(text)
        shown.append(_Line(number, text[:first], text[first:last], text[last:]))
    return shown


def diff_of(fix: Fix) -> str:
    """The lines that a fix of the source takes out and puts in; "" where the source cannot be read."""
    file = fix.edits[0][0].file
    before = [line.rstrip("\r\n") for line in linecache.getlines(file)]
    after = "\n".join(before)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line) + 1)
    for place, text in sorted(fix.edits, key=lambda edit: (edit[0].start.line, edit[0].start.column), reverse=True):
        if place.file != file or place.end.line > len(before):
            return ""
        first = starts[place.start.line - 1] + place.start.column
        last = starts[place.end.line - 1] + place.end.column
        after = after[:first] + text + after[last:]
    lines = difflib.unified_diff(before, after.split("\n"), n=1, lineterm="")
    return "\n".join(list(lines)[2:])


def strip(nodes: Sequence[NodePlacement]) -> list[tuple[str, int, str]]:
    """Consecutive nodes on the same place, in graph order: (place, how many, title)."""
    runs = []
    for place, group in groupby(nodes, key=lambda node: node.placement.value):
        members = list(group)
        names = ", ".join(node.node for node in members[:3])
        more = f" and {len(members) - 3} more" if len(members) > 3 else ""
        runs.append((place, len(members), f"{place}: {names}{more}"))
    return runs


def place_of(finding: Finding) -> str:
    """``model.py:21``; of a notebook cell, which has no file, the line of the cell."""
    if finding.range is None:
        return "no source"
    file, line = finding.range.file, finding.range.start.line
    path = Path(file)
    return f"{path.name}:{line}" if path.is_file() else f"cell, line {line}"


def line_of(error: NodeError) -> str:
    """``model.py:21`` of a node's expression; "" where it has none."""
    return f"{Path(error.file).name}:{error.line}" if error.file else ""


def level(value: float | None) -> str:
    """A level in dB for people; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    return "exact" if math.isinf(value) and value > 0 else f"{value:.1f} dB"


def _gate_figures(gate: Gate) -> str:
    return gate_figures(gate.metric, gate.value, gate.threshold, ok=gate.ok)


@lru_cache(maxsize=1)
def environment() -> Any:
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader

    # A template becomes Python code: it lies where Python keeps this package's own bytecode, if that can be written.
    bytecode = Path(cache_from_source(__file__)).parent
    writable = not sys.dont_write_bytecode and os.access(bytecode, os.W_OK)
    jinja = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        bytecode_cache=FileSystemBytecodeCache(str(bytecode)) if writable else None,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals.update(diff_of=diff_of, source_lines=source_lines, strip=strip, place_of=place_of, figure=figure)
    jinja.globals.update(summary=lambda probes: summary(tuple(probes)), line_of=line_of)
    jinja.globals.update(gate_figures=_gate_figures, words_heading=words_heading)
    jinja.filters["level"] = level
    jinja.filters["megabytes"] = lambda value: "–" if value is None else f"{value / 1e6:.3g} MB"
    jinja.filters["place"] = lambda value: f"{value:.1f}"
    jinja.filters["db"] = lambda value: "exact" if value == float("inf") else f"{value:.1f} dB"
    jinja.filters["figure"] = lambda value: f"{value:.4g}"
    return jinja
