"""The frontier of a search over precisions and the nodes that introduce error, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from aipc.core.accuracy import NodeAccuracy
from aipc.core.frontier import Frontier
from aipc.core.wording import counted

from ._format import decibels, short_path, table_of


def frontier_lines(frontier: Frontier) -> Iterator[Any]:
    """The table of all candidates, and which one was taken by what."""
    names = ["precision", "size MB", "DDR MB planned", "latency ms", "SQNR dB"]
    names += [frontier.metric_name] if frontier.metric_name else []
    table = table_of("", *names, "", "why it was tried")
    for column in table.columns[2 : 2 + len(names) - 1]:
        column.justify = "right"
    for item in frontier.tried:
        figures = [
            _number(item.bytes, 1e6, ".3g"),
            _number(item.traffic_bytes, 1e6, ".3g"),
            _number(item.latency_ms, 1, ".2f"),
            _number(item.sqnr_db, 1, ".1f"),
        ]
        figures += [_number(item.metric, 1, ".4g")] if frontier.metric_name else []
        chosen = item.label == frontier.chosen
        table.add_row(
            "→" if chosen else "",
            Text(item.label, "bold" if chosen else ""),
            *figures,
            Text("passed", "green") if item.ok else Text("failed", "red"),
            Text(item.measure if item.ok or not item.detail else f"{item.measure}: {item.detail}"),
        )
    yield table
    if frontier.chosen:
        yield Text(f"{frontier.chosen} is the cheapest of what was asked for that passed: by {frontier.cost}", "bold")
    else:
        yield Text("no precision passed", "bold red")
    for note in frontier.notes:
        yield Text(note, "yellow")


def blame_lines(accuracy: NodeAccuracy) -> Iterator[Any]:
    """The expressions that introduce the most of the error."""
    worst = accuracy.worst()
    if worst:
        table = table_of(
            "introduced at", "operator", "share", "outputs with it alone", "introduced", "inherited", "tensor"
        )
        for column in table.columns[2:]:
            column.justify = "right"
        for name, error in worst:
            table.add_row(
                Text(f"{short_path(error.file)}:{error.line} {error.module}" if error.file else name),
                error.op_type,
                f"{100 * error.share:.0f} %",
                decibels(error.effect_sqnr_db),
                decibels(error.introduced_sqnr_db),
                decibels(error.inherited_sqnr_db),
                decibels(error.sqnr_db),
            )
        yield table
    summary = f"{counted(len(accuracy.nodes), 'tensor')} read"
    if accuracy.unchanged is not None:
        summary += ", the outputs equal bit for bit" if accuracy.unchanged else "; READING CHANGED THE OUTPUTS"
    if accuracy.unread:
        summary += f"; {len(accuracy.unread)} nodes are fused into others and cannot be read alone"
    yield Text(summary, "dim")
    for note in accuracy.notes:
        yield Text(note, "yellow")


def _number(value: float | None, unit: float, form: str) -> str:
    return "" if value is None else format(value / unit, form)
