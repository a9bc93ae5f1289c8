"""Between our positions (1-based lines, columns in code points) and the protocol's (0-based, UTF-16 code units)."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types as lsp

from aipc.core.types import Position, Range


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def to_lsp_position(position: Position, lines: Sequence[str]) -> lsp.Position:
    text = lines[position.line - 1] if 0 < position.line <= len(lines) else ""
    return lsp.Position(max(0, position.line - 1), utf16_units(text[: position.column]))


def to_lsp_range(place: Range, lines: Sequence[str]) -> lsp.Range:
    return lsp.Range(to_lsp_position(place.start, lines), to_lsp_position(place.end, lines))


def code_points(units: int, text: str) -> int:
    """A column in UTF-16 units as a column in code points."""
    encoded = text.encode("utf-16-le", "surrogatepass")[: 2 * units]
    return len(encoded.decode("utf-16-le", "ignore"))
