"""What an expression becomes: its ONNX operators, the NPU's operators, where they run and with what error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lsprotocol import types as lsp

from aipc.core.accuracy import NodeError
from aipc.core.types import Position, Range
from aipc.qairt.soc import get_soc

from ..check_state import Place, current_findings, current_places
from ..positions import from_lsp_position
from ..quick_fixes import fix_lines
from ..server import AipcServer
from .inlay_hints import decibels

_MOST = 12


def register(server: AipcServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(parameters: lsp.HoverParams) -> lsp.Hover | None:
        path = server.file_of(parameters.text_document.uri)
        if path is None:
            return None
        lines = server.lines(path)
        where = from_lsp_position(parameters.position, lines, server.documents.position_codec)
        if where is None:
            return None
        for checked in server.results.values():
            places = innermost(current_places(checked, path, lines), where)
            if not places:
                continue
            stale = " _(before the last edit)_" if checked.is_stale(path, lines) else ""
            title = (
                f"**{checked.report.model}** on {get_soc(checked.report.soc).title}, {checked.report.precision}{stale}"
            )
            nodes = {place.node.node for place in places}
            about = [item for item in current_findings(checked, path, lines) if nodes.intersection(item.nodes)]
            ways = "\n".join(dict.fromkeys(line for finding in about for line in fix_lines(finding)))
            return lsp.Hover(
                lsp.MarkupContent(lsp.MarkupKind.Markdown, f"{title}\n\n{table(places)}\n\n{ways}".strip()),
                server.to_range(places[0].range, lines),
            )
        return None


def innermost(places: Sequence[Place], where: Position) -> list[Place]:
    """The nodes of the smallest expression around a position."""
    around = [place for place in places if _contains(place.range, where)]
    if not around:
        return []
    smallest = min((place.range for place in around), key=_size)
    return [place for place in around if place.range == smallest]


def _contains(place: Range, where: Position) -> bool:
    key = (where.line, where.column)
    return (place.start.line, place.start.column) <= key < (place.end.line, place.end.column)


def _size(place: Range) -> tuple[int, int]:
    return (place.end.line - place.start.line, place.end.column - place.start.column)


def table(places: Sequence[Place]) -> str:
    """One row for equal nodes; the worst error of each."""
    measured = any(place.error for place in places)
    rows = [
        "| ONNX | NPU | runs on |" + (" SQNR | introduces |" if measured else ""),
        "| --- | --- | --- |" + (" --- | --- |" if measured else ""),
    ]
    kinds: Counter[tuple[str, str, str]] = Counter()
    worst: dict[tuple[str, str, str], NodeError] = {}
    for place in places:
        node = place.node
        where = node.placement.value + (f": {node.reason}" if node.reason else "")
        key = (node.op_type, ", ".join(node.qnn_ops) or "–", where)
        kinds[key] += 1
        if place.error:
            worst[key] = min(worst.get(key, place.error), place.error, key=lambda error: error.sqnr_db)
    for key, count in list(kinds.items())[:_MOST]:
        times = f" ×{count}" if count > 1 else ""
        error = f" {_error_cells(worst[key])}" if key in worst else (" – | – |" if measured else "")
        rows.append(f"| `{key[0]}`{times} | {_cell(key[1])} | {_cell(key[2])} |{error}")
    if len(kinds) > _MOST:
        rows.append(f"| … {len(kinds) - _MOST} more | | |" + (" | |" if measured else ""))
    return "\n".join(rows)


def _error_cells(error: NodeError) -> str:
    if error.introduced_sqnr_db is None:
        return f"{decibels(error.sqnr_db)} | – |"
    share = f", {100 * error.share:.0f} % of the error" if error.share else ""
    return f"{decibels(error.sqnr_db)} | {decibels(error.introduced_sqnr_db)}{share} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
